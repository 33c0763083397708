import { catchUsageErrors } from '../src/cli/usage-error.ts'
import { type DevModeOptions, startDevMode } from '../src/dev/dev-mode.ts'
import { endWithTerminal } from '../src/dev/terminal.ts'

/**
 * Runs `jeton serve --dev` and returns its exit code. Before anything of AWS is loaded, it takes from this process whatever
 * leads to real AWS. Rejects as `serve` does.
 */
export async function serveDev(options: DevModeOptions): Promise<number> {
  return catchUsageErrors(process.stderr, async () => {
    const dev = await startDevMode(options)
    try {
      replaceEnvironment(dev.env)
      endWithTerminal(process)
      const { serve } = await import('./server.ts')
      await serve({ configPath: dev.configPath, listen: options.listen, stdout: process.stdout, dev })
      return 0
    } finally {
      await dev.close()
    }
  })
}

/** The AWS SDK reads the process's own environment. */
function replaceEnvironment(wanted: Record<string, string>): void {
  for (const name of Object.keys(process.env)) if (!(name in wanted)) delete process.env[name]
  Object.assign(process.env, wanted)
}
