import { PARTITIONS, partitionOfRegion } from '../../rds/partitions.ts'
import { type Arn, couldBeUser, parseArn, parseUser } from './arn.ts'
import type { LintFinding, LintRule } from './finding.ts'
import { type LintedStatement, namesService } from './statement.ts'
import { type TextEntry, UNKNOWN } from './texts.ts'
import { variableFindings } from './variables.ts'
import { hasWildcard, isLiteral, matches } from './wildcard.ts'

const FORM = 'arn:PARTITION:rds-db:REGION:ACCOUNT:dbuser:RESOURCEID/USER'
const ANY_ID =
  'db-… of an instance (DbiResourceId), cluster-… of an Aurora cluster (DbClusterResourceId) or prx-… of a proxy (the end of its ARN)'

/** Of a statement that means `rds-db:connect`: resources that are no database user, and those that are too many. */
export function resourceFindings(statement: LintedStatement): LintFinding[] {
  const { actions, resources, denies } = statement
  const isForOthersToo = !actions.every(namesService) || actions.length === 0
  const isMeant = actions.some(namesService)
  const hasFitting = resources.some(({ text }) => text.includes(UNKNOWN) || couldBeUser(text))
  const findings = resources.flatMap(entry => {
    if (couldBeUser(entry.text)) return userFindings(entry, statement)
    // Beside rds-db:connect, a statement may have actions of other services, and their resources.
    const isForeign = isMeant && !(isForOthersToo && hasFitting) && !entry.text.startsWith(UNKNOWN)
    return isForeign ? [error('resource', entry, notUser(entry.text))] : []
  })
  return denies ? findings.filter(({ severity }) => severity === 'error') : findings
}

function notUser(text: string): string {
  const arn = parseArn(text)
  if (arn?.service !== 'rds')
    return `${text} is no database user, which rds-db:connect works on alone: give ${FORM}`
  const [kind = ''] = arn.resource.split(':')
  return `${text} is the ARN of a ${kind}, on which rds-db:connect never works: give ${FORM} with its resource id, ${ANY_ID}`
}

function userFindings(entry: TextEntry, statement: LintedStatement): LintFinding[] {
  const arn = entry.text === '*' ? parseArn('arn:*') : parseArn(entry.text)
  if (!arn) return []
  const target = parseUser(arn.resource)
  if (!target) {
    if (arn.resource.includes(UNKNOWN) || matches(arn.resource, 'dbuser:')) return []
    return [
      ...placeFindings(entry, arn),
      error('resource', entry, `the resource is not dbuser:RESOURCEID/USER: give ${FORM}`),
    ]
  }
  return [
    ...placeFindings(entry, arn),
    ...idFindings(entry, target.id),
    ...(target.user === '' ? [error('resource', entry, 'there is no user after the slash')] : []),
    ...variableFindings(entry, { user: target.user, statement }),
    ...broadFindings(entry, { ...arn, ...target }),
  ]
}

function placeFindings(entry: TextEntry, { partition, region, account }: Arn): LintFinding[] {
  const findings: LintFinding[] = []
  const isPartition = PARTITIONS.some(({ name }) => name === partition)
  if (isLiteral(partition) && !isPartition)
    findings.push(
      error(
        'partition',
        entry,
        `AWS has no partition ${partition}: ${PARTITIONS.map(({ name }) => name).join(', ')}`,
      ),
    )
  if (isLiteral(region)) {
    const home = partitionOfRegion(region)
    if (!home)
      findings.push(
        error(
          'region',
          entry,
          `${region || 'nothing'} stands where the region has to: give one, as us-east-1`,
        ),
      )
    else if (isPartition && home.name !== partition)
      findings.push(
        error('region', entry, `${region} is a region of partition ${home.name}, not of ${partition}`),
      )
  }
  if (isLiteral(account) && !/^\d{12}$/.test(account))
    findings.push(
      error('account', entry, `${account || 'nothing'} stands where the 12 digits of the account have to`),
    )
  return findings
}

function idFindings(entry: TextEntry, id: string): LintFinding[] {
  // Those of proxies are in lower case.
  if (!isLiteral(id) || /^(?:(?:db|cluster)-[A-Z0-9]+|prx-[A-Za-z0-9]+)$/.test(id)) return []
  const isLowered = /^(?:db|cluster)-[A-Za-z0-9]+$/.test(id)
  const fault = isLowered
    ? `${id} is in lower case, which no resource id is, and IAM compares them to the letter: it is a name, or was rewritten`
    : `${id || 'nothing'} is no resource id, but perhaps a name`
  return [error('resource-id', entry, `${fault}; give ${ANY_ID}`)]
}

function broadFindings(entry: TextEntry, parts: Arn & { id: string; user: string }): LintFinding[] {
  const wide = [
    ['partition', parts.partition],
    ['service', parts.service],
    ['region', parts.region],
    ['account', parts.account],
    ['resource id', parts.id],
    ['user', parts.user],
  ].filter(([, text = '']) => hasWildcard(text))
  if (wide.length === 0) return []
  const named = wide.map(([name]) => name).join(', ')
  const message = `a wildcard for ${named} allows more than it has to: name each database user`
  return [{ severity: 'warning', rule: 'too-broad', path: entry.path, message }]
}

function error(rule: LintRule, { path }: TextEntry, message: string): LintFinding {
  return { severity: 'error', rule, path, message }
}
