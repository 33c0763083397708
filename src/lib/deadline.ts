/**
 * What `call` gives; rejects with `TimeoutError` where that takes longer than `deadlineMs`. The SDK's own timeouts are for
 * an attempt each, and its search for credentials has none. The signal lets a call end that nobody waits for any more.
 */
export async function within<Reply>(
  deadlineMs: number,
  call: (signal: AbortSignal) => Promise<Reply>,
): Promise<Reply> {
  const deadline = AbortSignal.timeout(deadlineMs)
  const passed = new Promise<never>((_resolve, reject) => {
    deadline.addEventListener('abort', () => reject(deadline.reason), { once: true })
  })
  return Promise.race([call(deadline), passed])
}
