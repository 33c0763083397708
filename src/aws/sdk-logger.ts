/** A logger as the AWS SDK takes it, for what it has to say beside its errors. */
export type SdkLogger = Readonly<
  Record<'trace' | 'debug' | 'info' | 'warn' | 'error', (...content: unknown[]) => void>
>

const ignore = () => {}

/**
 * Returns a logger that makes the SDK's warnings Node's own, each one line of the log; without it the SDK writes lines of its
 * own to stderr. The rest holds what was sent, and is dropped, but for what `onDebug` gets, which may be secret.
 */
export function createSdkLogger({ onDebug = ignore }: { onDebug?: (text: string) => void } = {}): SdkLogger {
  return {
    trace: ignore,
    debug: content => onDebug(String(content)),
    info: ignore,
    warn: content => process.emitWarning(String(content).replace(/\s+/g, ' ').trim(), 'AwsSdkWarning'),
    error: ignore,
  }
}
