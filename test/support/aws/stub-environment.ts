import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, vi } from 'vitest'

/** Sets environment variables of this process until `vi.unstubAllEnvs()`. */
export function stubEnvironment(env: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
}

/** Lets AWS's SDK search a minute for credentials and find none, until `vi.unstubAllEnvs()`. */
export async function hangCredentialSearch(): Promise<void> {
  await stubAwsConfig('[default]\ncredential_process = sleep 60\n')
}

/** Lets AWS's SDK find its credentials by this configuration file alone, until `vi.unstubAllEnvs()`. Returns its folder. */
export async function stubAwsConfig(config: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'jeton-aws-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'config'), config)
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined)
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
  return folder
}
