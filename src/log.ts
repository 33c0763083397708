/** The part of pino that jeton's parts use: structured, to stderr, never with a secret in it. */
export interface Log {
  debug(fields: object, msg: string): void
  info(fields: object, msg: string): void
  warn(fields: object, msg: string): void
  error(fields: object, msg: string): void
}
