/**
 * Returns the system's code of an error's cause, where fetch has it (`ECONNREFUSED`), or else its own (`ENOENT`); undefined
 * when neither has one. For places where a message must not go: those of fetch and the file system quote URLs and paths.
 */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error ? (codeOf(error.cause) ?? codeOf(error)) : undefined
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** The same to end a sentence with: ` (ECONNREFUSED)`, or nothing. */
export function systemCodeNote(error: unknown): string {
  const code = systemCode(error)
  return code === undefined ? '' : ` (${code})`
}

/** The message of an error, or `otherwise` when what was thrown is none. Only for errors whose messages hold no secret. */
export function messageOf(error: unknown, otherwise = 'it failed'): string {
  return error instanceof Error ? error.message : otherwise
}
