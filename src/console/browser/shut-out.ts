/** What a page says once its reader may not see the console any more. */
export const SHUT_OUT = 'You are not let in any more: load this page again.'

/** Whether a status says so: a JWT has expired, or an operator has ended. To ask again by itself would only be refused again. */
export function isShutOut(status: number): boolean {
  return status === 401 || status === 403
}
