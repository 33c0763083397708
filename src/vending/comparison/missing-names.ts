import { API_KEY_ISSUER } from '../../authentication/api-key.ts'
import type { RecordedPrincipal } from '../../authorization/recorded-match.ts'
import type { Config } from '../../config/config.ts'
import { escapeText } from '../../lib/printable.ts'
import type { RecordedCaller } from './recorded-callers.ts'

/** A caller whose issuer or API key a configuration does not have. */
export interface MissingName {
  readonly reason: string
  /** What the caller would be if that had another name by now: one for each name that no record has. */
  readonly renamed: readonly RenamedPrincipal[]
}

export interface RenamedPrincipal {
  readonly name: string
  readonly principal: RecordedPrincipal
}

/** Returns a function that finds out whether a caller's issuer or key is missing from a configuration: undefined if it is not. */
export function createMissingNames(
  callers: readonly RecordedCaller[],
  { issuers, apiKeys }: Pick<Config, 'issuers' | 'apiKeys'>,
): (caller: RecordedCaller) => MissingName | undefined {
  const keyCallers = callers.filter(({ principal }) => principal.issuer === API_KEY_ISSUER)
  const issuerNames = issuers.map(({ name }) => name)
  const keyNames = Object.keys(apiKeys)
  const newIssuers = unknownTo(new Set(callers.map(({ principal }) => principal.issuer)), issuerNames)
  const newKeys = unknownTo(new Set(keyCallers.map(({ subject }) => subject)), keyNames)

  return ({ principal, subject }) => {
    if (principal.issuer === API_KEY_ISSUER)
      return keyNames.includes(subject)
        ? undefined
        : {
            reason: `the configuration has no API key ${escapeText(subject)}`,
            renamed: newKeys.map(name => ({ name, principal: { ...principal, subject: name } })),
          }
    return issuerNames.includes(principal.issuer)
      ? undefined
      : {
          reason: `the configuration has no issuer ${escapeText(principal.issuer)}`,
          renamed: newIssuers.map(name => ({ name, principal: { ...principal, issuer: name } })),
        }
  }
}

function unknownTo(recorded: ReadonlySet<string>, names: readonly string[]): string[] {
  return names.filter(name => !recorded.has(name))
}
