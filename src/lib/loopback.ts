const OCTET = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`
const LOOPBACK = new RegExp(String.raw`^(?:localhost|127(?:\.${OCTET}){3}|::1|\[::1\])$`, 'i')

/**
 * Whether a host is this machine and no other: `localhost` in any case, 127.0.0.0/8 in four decimal parts, or `::1`, bare or
 * in brackets as `URL.hostname` has it. Every other spelling of these is refused, and nothing is looked up.
 */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host)
}

/** Returns a host without the brackets that `URL.hostname` has around an IPv6 address. */
export function bareHost(host: string): string {
  return host.replace(/^\[|\]$/g, '')
}

/** Whether nobody on the way reads what is sent to a URL: https, or plain http to this machine. */
export function isSecureUrl({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
}
