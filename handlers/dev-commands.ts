import { realpathSync } from 'node:fs'
import type { Command } from 'commander'

/** Adds the commands that need neither AWS nor a configuration: docs/cli.md#jeton-demo. */
export function addDevCommands(program: Command): void {
  program
    .command('demo')
    .description('show the main job step by step, with stand-ins on loopback and without AWS')
    .option('--once', 'end after one round')
    .action(async ({ once = false }) => {
      const [{ runDemo }, { catchInterruption }] = await Promise.all([
        import('../src/dev/demo/demo.ts'),
        import('../src/dev/interruption.ts'),
      ])
      const { env, stdout, argv } = process
      process.exitCode = await runDemo({
        isOnce: once,
        cli: realpathSync(argv[1] ?? ''),
        env,
        stdout,
        interruption: catchInterruption(process),
      })
    })
}
