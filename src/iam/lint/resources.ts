import { PARTITIONS, partitionOfRegion } from '../../rds/partitions.ts'
import { parseResourceId } from '../../rds/resource-id.ts'
import { type Arn, couldBeUser, parseArn, parseUser } from './arn.ts'
import type { LintFinding, LintRule } from './finding.ts'
import { type LintedStatement, namesService } from './statement.ts'
import { type TextEntry, UNKNOWN } from './texts.ts'
import { variableFindings } from './variables.ts'
import { hasWildcard, isLiteral, matches } from './wildcard.ts'

const FORM = 'arn:PARTITION:rds-db:REGION:ACCOUNT:dbuser:RESOURCEID/USER'
const RESOURCE_IDS =
  'db-… for an instance (DbiResourceId), cluster-… for an Aurora cluster (DbClusterResourceId) or prx-… for a proxy (the end of its ARN)'

/** Returns resources that are not database users, and those that are too broad. For a statement with `rds-db:connect`. */
export function resourceFindings(statement: LintedStatement): LintFinding[] {
  const { actions, resources, isDeny } = statement
  const hasOtherActions = !actions.every(namesService) || actions.length === 0
  const namesConnect = actions.some(namesService)
  const hasUser = resources.some(({ text }) => text.includes(UNKNOWN) || couldBeUser(text))
  const findings = resources.flatMap(entry => {
    if (couldBeUser(entry.text)) return userFindings(entry, statement)
    // beside rds-db:connect, a statement may have actions of other services, with resources of theirs
    const isWrong = namesConnect && !(hasOtherActions && hasUser) && !entry.text.startsWith(UNKNOWN)
    return isWrong ? [error(entry, { rule: 'resource', message: notUserMessage(entry.text) })] : []
  })
  return isDeny ? findings.filter(({ severity }) => severity === 'error') : findings
}

function notUserMessage(text: string): string {
  const arn = parseArn(text)
  if (arn?.service !== 'rds')
    return `${text} is not a database user, but rds-db:connect works only on database users: give ${FORM}`
  const [kind = ''] = arn.resource.split(':')
  return `${text} is the ARN of a ${kind}, on which rds-db:connect never works: give ${FORM} with its resource id, ${RESOURCE_IDS}`
}

function userFindings(entry: TextEntry, statement: LintedStatement): LintFinding[] {
  const arn = entry.text === '*' ? parseArn('arn:*') : parseArn(entry.text)
  if (!arn) return []
  const target = parseUser(arn.resource)
  if (!target) {
    if (arn.resource.includes(UNKNOWN) || matches(arn.resource, 'dbuser:')) return []
    return [
      ...locationFindings(entry, arn),
      error(entry, { rule: 'resource', message: `the resource is not dbuser:RESOURCEID/USER: give ${FORM}` }),
    ]
  }
  return [
    ...locationFindings(entry, arn),
    ...resourceIdFindings(entry, target.id),
    ...(target.user === ''
      ? [error(entry, { rule: 'resource', message: 'there is no user after the slash' })]
      : []),
    ...variableFindings(entry, { user: target.user, statement }),
    ...broadFindings(entry, { ...arn, ...target }),
  ]
}

function locationFindings(entry: TextEntry, { partition, region, account }: Arn): LintFinding[] {
  const partitions = PARTITIONS.map(({ name }) => name)
  const findings: LintFinding[] = []
  if (isLiteral(partition) && !partitions.includes(partition)) {
    const message = `AWS has no partition ${partition}, only ${partitions.join(', ')}`
    findings.push(error(entry, { rule: 'partition', message }))
  }
  if (isLiteral(region)) {
    const home = partitionOfRegion(region)
    if (!home) {
      const message = `the region is ${region || 'missing'}: give one, like us-east-1`
      findings.push(error(entry, { rule: 'region', message }))
    } else if (partitions.includes(partition) && home.name !== partition) {
      const message = `${region} is a region of partition ${home.name}, not of ${partition}`
      findings.push(error(entry, { rule: 'region', message }))
    }
  }
  if (isLiteral(account) && !/^\d{12}$/.test(account)) {
    const message = `the account is ${account || 'missing'}: give its 12 digits`
    findings.push(error(entry, { rule: 'account', message }))
  }
  return findings
}

function resourceIdFindings(entry: TextEntry, id: string): LintFinding[] {
  if (!isLiteral(id)) return []
  const parsed = parseResourceId(id)
  if (parsed.ok) return []
  const remedy = parsed.meant === undefined ? `give ${RESOURCE_IDS}` : `did you mean ${parsed.meant}?`
  const message = `${id || 'nothing'} ${parsed.fault}; ${remedy}`
  return [error(entry, { rule: 'resource-id', message })]
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
  const names = wide.map(([name]) => name).join(', ')
  const message = `a wildcard for ${names} allows more than it has to: name each database user`
  return [{ severity: 'warning', rule: 'too-broad', path: entry.path, message }]
}

function error({ path }: TextEntry, { rule, message }: { rule: LintRule; message: string }): LintFinding {
  return { severity: 'error', rule, path, message }
}
