import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startProgram } from '../support/service/started-program.ts'
import { bundleScript } from './bundle-script.ts'
import type { Cores } from './cores.ts'

export interface BareServer {
  readonly url: string
  readonly pid: number
  close(): Promise<unknown>
}

/** Starts a bare Fastify that answers every path with `body`, in a process on the server's core. */
export async function startBareServer(
  { body, mediaType }: { body: string; mediaType: string },
  { folder, cores }: { folder: string; cores: Cores },
): Promise<BareServer> {
  const file = join(folder, 'constant-body')
  await writeFile(file, body)
  const script = await bundleScript('bare-fastify')
  const program = startProgram([...cores.server, process.execPath, script, file, mediaType], {
    env: {},
    lastSignal: 'TERM',
  })
  const port = await program.until(() => program.stdout[0])
  return { url: `http://127.0.0.1:${port}`, pid: program.process.pid ?? 0, close: program.stop }
}
