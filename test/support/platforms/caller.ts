import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { findCredential, type Identity, listIdentities } from '../../../src/client/credential.ts'
import type { CredentialEnvironment } from '../../../src/client/credential-variables.ts'
import { CallerError } from '../../../src/client/errors.ts'
import type { Send } from '../../../src/client/http.ts'
import { createNodeSend } from '../../../src/client/node-http.ts'
import type { Clock } from '../../../src/lib/clock.ts'
import { virtualClock } from '../clock/virtual-clock.ts'
import { type Endpoint, startEndpoint } from './endpoint.ts'

/** A caller on a platform that a test makes up: its files, its programs, and a server that stands in for all hosts. */
export interface PlatformCaller {
  /** The folder that stands for `/`. */
  readonly root: string
  readonly endpoint: Endpoint
  /** The URLs that requests were for, in order. */
  readonly urls: string[]
  /** Those of them that were sent past all proxies. */
  readonly directUrls: string[]
  /** Finds the identity by an environment. */
  find(env: CredentialEnvironment): Promise<Identity>
  /** Finds it and gets its credential. */
  credential(env: CredentialEnvironment): Promise<string>
  /** Describes all that an environment offers. */
  offers(env: CredentialEnvironment): string[]
  write(path: string, text: string): Promise<string>
  /** Makes a program of a shell script, and returns the folder for PATH. */
  program(name: string, script: string): Promise<string>
  close(): Promise<void>
}

export async function createPlatformCaller(clock: Clock = virtualClock()): Promise<PlatformCaller> {
  const root = await mkdtemp(join(tmpdir(), 'platform-'))
  const endpoint = await startEndpoint()
  const urls: string[] = []
  const directUrls: string[] = []
  const node = createNodeSend()

  /** Sends to the stand-in what is for any other host, as if that were the host. */
  const send: Send = (request, options) => {
    urls.push(request.url.href)
    if (request.socketPath !== undefined) return node(request, options)
    const url = new URL(`${request.url.pathname}${request.url.search}`, endpoint.url)
    const host = request.headers?.host ?? request.url.host
    return node({ ...request, url, headers: { ...request.headers, host } }, options)
  }
  const sendDirectly: Send = (request, options) => {
    directUrls.push(request.url.href)
    return send(request, options)
  }
  const network = { send, clock }
  const sources = (env: CredentialEnvironment) => ({
    env,
    root,
    sendDirectly,
    stdin: (async function* () {})(),
  })
  const find = (env: CredentialEnvironment) => findCredential(sources(env), network)

  async function write(path: string, text: string): Promise<string> {
    const file = join(root, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
    return file
  }

  return {
    ...{ root, endpoint, urls, directUrls, find, write },
    credential: async env => (await find(env)).getCredential(),
    offers: env => listIdentities(sources(env), network).map(({ description }) => description),
    async program(name, script) {
      const file = await write(`bin/${name}`, `#!/bin/sh\n${script}\n`)
      await chmod(file, 0o755)
      return dirname(file)
    },
    async close() {
      await endpoint.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** Returns the error that a promise rejects with, which must be one for the terminal. */
export async function callerErrorOf(promise: Promise<unknown>): Promise<CallerError> {
  try {
    await promise
  } catch (cause) {
    if (cause instanceof CallerError) return cause
    throw cause
  }
  throw new Error('nothing was refused')
}
