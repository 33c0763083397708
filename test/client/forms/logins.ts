import type { FormLogin } from '../../../src/client/forms/form.ts'
import { isTokenReply } from '../../../src/client/token-reply.ts'
import { sampleReply } from '../../support/service/api-stub.ts'

/** Names of database users that break what quotes too little or too much. */
export const ODD_USERS = [
  'bob@corp.example',
  'CORP\\bob',
  'zoë',
  'a&b=c#d',
  'with space',
  'colon:and\\:both',
  '100%25',
  '?/[x]+',
  " it's",
  'say "x"',
  '-dash;#=,$x',
  'back\\',
]

/** A login as a form gets it. Its token is as long as a real one. */
export function sampleLogin(
  overrides: Record<string, unknown> = {},
  options: Omit<FormLogin, 'reply'> = {},
): FormLogin {
  const { token, ...others } = sampleReply(overrides)
  const session = 'IQoJb3JpZ2luX2VjE%2F%2B%3D'.repeat(50)
  const long = token.replace('&X-Amz-Signature', `&X-Amz-Security-Token=${session}&X-Amz-Signature`)
  const reply: unknown = { token: long, ...others }
  if (!isTokenReply(reply)) throw new Error('the sample is not a reply')
  return { reply, ...options }
}
