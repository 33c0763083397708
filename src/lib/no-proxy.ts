import { domainToASCII } from 'node:url'
import { type IpNetwork, overlap, parseIpNetwork } from './ip-network.ts'
import { bareHost, isLoopback } from './loopback.ts'

/**
 * What a proxy cannot reach or must not see: this machine, to which credentials go in clear, and what gives credentials to
 * whoever asks on the same link: IMDS, ECS and EKS. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 */
const ALWAYS_DIRECT = ['127.0.0.0/8', '::1', '169.254.0.0/16', 'fe80::/10', 'fd00:ec2::/32']

interface Exception {
  /** In lower case, without a dot at its beginning or end. */
  readonly domain: string
  readonly network: IpNetwork | undefined
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
  const alwaysDirect = ALWAYS_DIRECT.flatMap(text => parseIpNetwork(text) ?? [])
  return url => {
    const host = bareHost(url.hostname).replace(/\.$/, '')
    const address = parseIpNetwork(host)
    const isWithin = (network: IpNetwork) => address !== undefined && overlap(network, address)
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
  return { domain, network: parseIpNetwork(host), port }
}
