/**
 * Keeps SIGUSR1 from opening Node's inspector, through which whoever can connect to it reads tokens and runs code. A signal
 * that came before, while Node started, has opened it: see `closeInspector`.
 */
export function ignoreInspectorSignal(): void {
  process.on('SIGUSR1', () => {})
}

/** Closes the inspector, unless Node was started with it (`--inspect`, perhaps in `NODE_OPTIONS`). */
export async function closeInspector(): Promise<void> {
  const { env, execArgv, features } = process
  const options = [...execArgv, ...(env.NODE_OPTIONS ?? '').split(/\s+/)]
  if (!features.inspector || options.some(option => /^--inspect(?:-brk|-wait)?(?:=|$)/.test(option))) return
  const inspector = await import('node:inspector')
  if (inspector.url() !== undefined) inspector.close()
}
