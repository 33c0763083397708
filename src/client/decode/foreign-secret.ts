import { decodeBase64url } from '../../lib/base64url.ts'
import { parseJsonObject } from '../../lib/json.ts'
import { parseEndpoint } from '../../rds/endpoint.ts'
import { API_KEY } from '../identity/api-key-form.ts'
import type { TokenProblem } from './token-problem.ts'

/** What people paste in place of a token: by its form, and what it is. */
const FORMS: readonly (readonly [RegExp, what: string])[] = [
  [API_KEY, 'an API key of jeton: it goes to jeton (JETON_API_KEY), which answers with a token'],
  [/^k8s-aws-v1\./, 'a token for Kubernetes on EKS: RDS takes no such token'],
  [
    /^(?:AKIA|ASIA)[A-Z0-9]{16}$/,
    'the id of an AWS access key: it is only a part of what a token is made of',
  ],
  [/^-----BEGIN /, 'a key or a certificate in PEM'],
  [
    /^(?:jdbc:)?(?:postgres|postgresql|mysql|mariadb):/i,
    'a connection string: the token is the password in it, percent-encoded once more',
  ],
  [
    /@[\w.-]+(?::\d+)?\/\w*(?:\?sslmode=.*)?$/,
    'a connection string: the token is the password in it, percent-encoded once more',
  ],
]

/**
 * Returns what a text is that is no presigned request: one of its `readings`, as it was given and without what stood around it.
 * Quotes nothing of it, for it may be a password.
 */
export function identifyForeignSecret(readings: readonly [given: string, unwrapped: string]): TokenProblem {
  const [, text] = readings
  if (text === '') return { code: 'not_a_token', message: 'there is no text' }
  const [, host = '', rest] = /^([a-z0-9.-]+)(:\d*(?:\/(?:\?\w*)?)?)?$/i.exec(text) ?? []
  if (parseEndpoint(host).ok)
    return {
      code: 'cut',
      message: `only ${rest === undefined ? 'the endpoint' : 'the endpoint and its port'} are there: a shell ends an argument at & and expands ?, so put the token in quotation marks, or into standard input`,
    }
  const what = isJwt(text)
    ? 'a JWT: it goes to jeton (JETON_JWT), which answers with a token'
    : FORMS.find(([form]) => readings.some(reading => form.test(reading)))?.[1]
  if (what !== undefined) return { code: 'not_a_token', message: `it is ${what}` }
  return {
    code: 'not_a_token',
    message: 'it is not a token of RDS, which begins with the endpoint: HOST:PORT/?Action=connect&DBUser=…',
  }
}

function isJwt(text: string): boolean {
  const [, header = ''] = /^([\w-]+)\.[\w-]+\.[\w-]*$/.exec(text) ?? []
  return parseJsonObject(decodeBase64url(header) ?? '')?.alg !== undefined
}
