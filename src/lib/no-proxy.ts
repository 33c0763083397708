import { BlockList, isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { bareHost, isLoopback } from './loopback.ts'

/**
 * What a proxy cannot reach or must not see: this machine, to which credentials go in clear, and what gives credentials to
 * whoever asks on the same link: IMDS, ECS and EKS. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 */
const ALWAYS_DIRECT = ['127.0.0.0/8', '::1', '169.254.0.0/16', 'fe80::/10', 'fd00:ec2::/32']

interface Network {
  readonly addresses: BlockList
  /** To Node, a network of IPv6 such as `::/0` has every address of IPv4 in it. */
  readonly hasIpv4: boolean
}

interface Exception {
  /** In lower case, without a dot at its beginning or end. */
  readonly domain: string
  readonly network: Network | undefined
  /** Undefined for all ports. */
  readonly port: string | undefined
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

/**
 * Returns a function that tells whether `NO_PROXY` excepts a URL. Its entries are separated by commas or spaces: a domain with
 * all below it (`example.com`, as `.example.com` and `*.example.com`), an address or a network (`10.0.0.0/8`), each with a port
 * if only that is meant, or `*` for everything. This machine and link-local addresses are always excepted. Looks nothing up.
 */
export function parseNoProxy(list = ''): (url: URL) => boolean {
  const entries = list.split(/[\s,]+/).filter(entry => entry !== '')
  const isAll = entries.includes('*')
  const exceptions = entries.map(parseException)
  const alwaysDirect = ALWAYS_DIRECT.flatMap(text => parseNetwork(text) ?? [])
  return url => {
    const host = bareHost(url.hostname).replace(/\.$/, '')
    const family = FAMILIES[isIP(host)]
    const isWithin = ({ addresses, hasIpv4 }: Network) =>
      family !== undefined && (family === 'ipv6' || hasIpv4) && addresses.check(host, family)
    if (isAll || isLoopback(host) || alwaysDirect.some(isWithin)) return true
    const port = url.port || DEFAULT_PORTS[url.protocol]
    return exceptions.some(exception => {
      if (exception.port !== undefined && exception.port !== port) return false
      const { network, domain } = exception
      return network ? isWithin(network) : host === domain || host.endsWith(`.${domain}`)
    })
  }
}

function parseException(entry: string): Exception {
  const [, name = entry, port] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(entry) ?? []
  const host = bareHost(name)
  const domain = domainToASCII(host.replace(/^\*?\.|\.$/g, ''))
  return { domain, network: parseNetwork(host), port }
}

/** An address, perhaps with a zone, and the bits of it that count. */
const NETWORK = /^([^/%]*)(?:%[^/]*)?(?:\/(\d{1,3}))?$/
/** Of `::ffff:0:0`, below which IPv6 has all of IPv4 (RFC 4291, 2.5.5.2). */
const MAPPED_PREFIX = 96
/** By what `isIP` returns. */
const FAMILIES: Readonly<Record<number, 'ipv4' | 'ipv6'>> = { 4: 'ipv4', 6: 'ipv6' }

/** Returns the addresses of a network; an address is one of its own. IPv4 within IPv6 counts as IPv4. Undefined for all else. */
function parseNetwork(text: string): Network | undefined {
  const [, written = '', bits] = NETWORK.exec(text) ?? []
  const ip = written.replace(/^::ffff:(?=\d+\.)/i, '')
  const family = FAMILIES[isIP(ip)]
  if (family === undefined) return undefined
  const maxPrefix = family === 'ipv4' ? 32 : 128
  const prefix = bits === undefined ? maxPrefix : Number(bits)
  if (prefix > maxPrefix) return undefined
  const addresses = new BlockList()
  addresses.addSubnet(ip, prefix, family)
  return { addresses, hasIpv4: family === 'ipv4' || prefix >= MAPPED_PREFIX }
}
