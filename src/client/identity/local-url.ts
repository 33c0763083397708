import { BlockList, isIP } from 'node:net'
import { bareHost, isLoopback } from '../../lib/loopback.ts'
import { invalidUsage } from '../errors.ts'
import { parseSecureUrl } from '../http.ts'

/** Addresses that no router passes on, so that the machine itself or what it runs on answers: RFC 3927, and those of clouds. */
const METADATA_HOSTS = new BlockList()
METADATA_HOSTS.addSubnet('169.254.0.0', 16, 'ipv4')
// https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
METADATA_HOSTS.addAddress('fd00:ec2::23', 'ipv6')
// https://cloud.google.com/compute/docs/metadata/querying-metadata
METADATA_HOSTS.addAddress('fd20:ce::254', 'ipv6')

const METADATA_NAMES = ['metadata.google.internal', 'metadata.google.internal.']

/**
 * Parses the URL of a metadata server, which may be http where nothing is between it and this machine. Errors call it `name`.
 * Throws CallerError (exit code 2) for http to any other machine, and as `parseSecureUrl` does.
 */
export function parseLocalUrl(text: string, name: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' || isLoopback(url.hostname) || !isMetadataHost(url.hostname))
    return parseSecureUrl(text, name)
  if (url.username || url.password) throw invalidUsage(`${name} contains a user or password: leave it out`)
  return url
}

function isMetadataHost(hostname: string): boolean {
  const host = bareHost(hostname)
  const version = isIP(host)
  return version === 0 ? METADATA_NAMES.includes(host) : METADATA_HOSTS.check(host, `ipv${version as 4 | 6}`)
}
