import type { IssuerKeysCache } from '../authentication/issuer-keys-cache.ts'
import type { Config } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Health } from '../telemetry/health.ts'
import type { ConfigurationReading } from '../telemetry/readings.ts'
import type { Traces } from '../telemetry/traces.ts'
import { type AccessPolicy, compileAccessPolicy } from './access-policy.ts'

/** A configuration, its policy, since when it is in use, and how the last reload ended. */
export interface InUse extends ConfigurationReading {
  readonly config: Config
  readonly policy: AccessPolicy
  /** The one that it replaced; undefined for the first. */
  readonly replaced: Config | undefined
}

/** The configuration that an instance works by. */
export interface ConfigurationInUse {
  current(): InUse
  /** Puts another in its place. What its predecessor alone named counts no longer as failing. */
  replace(config: Config): void
  /** Call if a changed configuration was refused. */
  noteRefusedReload(): void
}

export interface ConfigurationInUseParts {
  clock: Clock
  health: Health
  issuerKeys: IssuerKeysCache
  /** Default: no spans. */
  traces?: Traces | undefined
}

/** Returns the configuration in use, at first this one. */
export function createConfigurationInUse(
  first: Config,
  { clock, health, issuerKeys, traces }: ConfigurationInUseParts,
): ConfigurationInUse {
  const compile = (config: Config) => compileAccessPolicy(config, { clock, keysOf: issuerKeys.of, traces })
  let inUse: InUse = {
    ...{ config: first, policy: compile(first), replaced: undefined },
    ...{ loadedAt: clock.now(), lastReload: undefined },
  }
  return {
    current: () => inUse,
    replace(config) {
      const before = roleArnsOf(inUse.config)
      const loadedAt = clock.now()
      inUse = {
        ...{ config, policy: compile(config), replaced: inUse.config },
        ...{ loadedAt, lastReload: { at: loadedAt, isOk: true } },
      }
      issuerKeys.retain(config.issuers)
      const roleArns = roleArnsOf(config)
      for (const roleArn of before)
        if (!roleArns.has(roleArn)) health.report('sts', { ok: true, of: roleArn })
    },
    noteRefusedReload() {
      inUse = { ...inUse, lastReload: { at: clock.now(), isOk: false } }
    },
  }
}

function roleArnsOf({ databases }: Config): Set<string> {
  return new Set(databases.map(({ roleArn }) => roleArn))
}
