import type { Listen } from '../config/check-config.ts'
import type { Config } from '../config/config.ts'
import { loadWithoutFiles } from '../config/load.ts'
import { openConfigSource } from '../config/source/open-source.ts'
import { isS3Url } from '../config/source/s3-url.ts'
import type { ConfigSource } from '../config/source/source.ts'
import { UsageError } from '../errors.ts'
import { isLoopback } from '../lib/loopback.ts'
import type { Environment } from '../lib/process-input.ts'
import type { Log } from '../telemetry/log.ts'
import { startStsStandIn } from './aws/sts.ts'
import { builtInConfig, CI } from './built-in-config.ts'
import { devEnvironment, isOnLambda } from './environment.ts'
import { startIssuerStandIns } from './issuer/issuers.ts'
import { refuseOffLoopback, replacedParts, standInIssuers, withStandIns } from './stand-in-config.ts'
import { describeUse } from './usage.ts'

export interface DevModeOptions {
  /** A path; undefined for the configuration that is built in. */
  configPath: string | undefined
  listen: Listen
  env: Environment
}

/** What a server does differently under `--dev`. */
export interface DevMode {
  /** Where the configuration comes from, for records. */
  readonly configPath: string
  /** The environment of the process, without a way to real AWS. */
  readonly env: Record<string, string>
  /** Loads the configuration as it is served, and publishes its issuers. Throws as `loadConfig` does. */
  load(): Promise<Config>
  /** Logs what stands in. */
  logStart(log: Log): void
  /** Returns where JWTs are to be had, by the issuer's name. */
  jwtUrls(): Record<string, string>
  /** Returns text for people: what stands in, and commands to try. */
  describe(urls: { url: string; console: string | undefined }): string
  close(): Promise<void>
}

const REGION = 'us-east-1'
const BUILT_IN = 'built in (--dev)'

/**
 * Starts the stand-ins of `jeton serve --dev` on loopback. Throws `UsageError` where they must not be: on Lambda, on another
 * address than loopback, and for a configuration that only real AWS has.
 */
export async function startDevMode({ configPath, listen, env }: DevModeOptions): Promise<DevMode> {
  refuseProduction({ configPath, listen, env })
  const now = Date.now
  const [sts, issuers] = await Promise.all([
    startStsStandIn({ now, region: REGION, sessionTokenLength: 1000 }),
    startIssuerStandIns(now),
  ])
  const source = configPath === undefined ? builtInSource(issuers.urlOf(CI)) : openConfigSource(configPath)
  let written: Config | undefined

  return {
    configPath: configPath ?? BUILT_IN,
    env: devEnvironment(env, sts),
    async load() {
      const config = await loadWithoutFiles(source, listen)
      await refuseOffLoopback(config, source)
      await issuers.publish(standInIssuers(config))
      written = config
      return withStandIns(config, issuers.keysOf)
    },
    logStart(log) {
      const replaced = written ? replacedParts(written) : []
      log.warn(
        { event: 'stand_ins_in_use', standIns: ['STS', 'issuers'], replaced },
        'this server is for development alone (--dev): AWS STS and the issuers are stand-ins, so its tokens open no database of AWS, and anyone on this machine gets a JWT',
      )
    },
    jwtUrls: () =>
      Object.fromEntries((written?.issuers ?? []).map(({ name }) => [name, `${issuers.urlOf(name)}/jwt`])),
    describe: urls =>
      written ? describeUse(written, { ...urls, jwtUrlOf: name => `${issuers.urlOf(name)}/jwt` }) : '',
    async close() {
      await Promise.all([sts.close(), issuers.close()])
    },
  }
}

function refuseProduction({ configPath, listen, env }: DevModeOptions): void {
  if (isOnLambda(env)) throw new UsageError('--dev never runs on Lambda: its stand-ins are for one machine')
  if (listen.host !== undefined && !isLoopback(listen.host))
    throw new UsageError(
      '--dev listens on loopback alone, with TLS too: use --host 127.0.0.1, or leave it out',
    )
  if (configPath !== undefined && isS3Url(configPath))
    throw new UsageError('--dev calls nothing of AWS, S3 included: copy the configuration to a file')
}

function builtInSource(issuerUrl: string): ConfigSource {
  const text = JSON.stringify(
    builtInConfig(issuerUrl, { sections: { server: { admin: { port: 0, console: true } } } }),
  )
  const files = { resolve: (path: string) => path, read: async () => undefined }
  return { read: async () => ({ file: BUILT_IN, text, files }), hasChanged: async () => false }
}
