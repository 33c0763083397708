import { html, type SafeHtml } from '@remix-run/html-template'
import { isLifecycleType } from '../../audit/lifecycle-record.ts'
import type { FoundRecord } from '../../audit/recent-records.ts'
import { isJsonObject, type JsonObject } from '../../lib/json.ts'
import { shownText } from '../pieces/shown-text.ts'
import { timeAt } from '../pieces/time.ts'
import { changesText } from './lifecycle-text.ts'
import type { RecordFilters } from './record-filters.ts'
import { principalLink, valueLink } from './record-links.ts'

interface Fact {
  readonly name: string
  readonly content: SafeHtml
}

/** What a member of a record means, and how it is shown; one that has no entry is shown as it is. */
interface Member {
  readonly name: string
  readonly isTime?: true
  /** The filter that finds the other records which have the same. */
  readonly filter?: keyof RecordFilters
  readonly note?: string
}

const MEMBERS: Readonly<Record<string, Member>> = {
  id: { name: 'Record' },
  time: { name: 'Time', isTime: true },
  decision: { name: 'Decision', filter: 'decision' },
  code: { name: 'Code', filter: 'code', note: 'what the caller was answered' },
  reason: { name: 'Reason', note: 'for operators: the caller did not see it' },
  grant: { name: 'Grant', filter: 'grant' },
  database: { name: 'Database', filter: 'database' },
  user: { name: 'Database user', filter: 'user' },
  identity: { name: 'Identity', filter: 'identity', note: 'the role session that signed the token' },
  fingerprint: { name: 'Fingerprint', filter: 'fingerprint', note: 'the SHA-256 of the token' },
  cached: { name: 'From the cache', note: 'whether the token had been delivered before' },
  issuedAt: { name: 'Issued', isTime: true },
  expiresAt: { name: 'Expires', isTime: true, note: 'for logins: connections that are open stay' },
  refused: {
    name: 'Reported as refused',
    filter: 'fingerprint',
    note: 'the token that the caller says the database refused',
  },
  sourceIp: { name: 'Source', filter: 'source-ip' },
  network: { name: 'Network', filter: 'source-ip' },
  userAgent: { name: 'User agent', note: 'as the caller named itself' },
  instance: { name: 'Instance', note: 'host and process' },
  requestId: { name: 'Request', filter: 'id', note: 'callers see it in an error' },
  traceId: { name: 'Trace', filter: 'id', note: 'in your tracing system' },
  count: { name: 'Counted', note: 'so many were not written one by one' },
  since: { name: 'Counted since', isTime: true },
  cut: { name: 'Cut', note: 'these members were too long' },
  jeton: { name: 'Release of jeton' },
  problems: { name: 'Problems', note: 'the program’s log has them' },
  signal: { name: 'Signal' },
  hash: { name: 'Hash', note: 'of this record, in the file’s hash chain' },
  prev: { name: 'Hash before', note: 'of the record before it' },
}
const WHOLE = { maxLength: Number.POSITIVE_INFINITY }
/** Said elsewhere on the page, or by the page itself. */
const HIDDEN = ['type', 'v', 'principal', 'changes', 'configuration']

/** Returns all members of a record in words: who it is about, what was decided and why, and all else that stands in it. */
export function recordFacts(found: FoundRecord, now: number): SafeHtml {
  const members = found.record as unknown as JsonObject
  const facts = [
    ...principalFacts(found),
    ...Object.entries(MEMBERS).flatMap(([key, member]) => factOf(member, { value: members[key], now })),
    ...(isLifecycleType(found.type) ? configurationFacts(members) : []),
    ...Object.entries(members)
      .filter(([key]) => !HIDDEN.includes(key) && !Object.hasOwn(MEMBERS, key))
      .map(([key, value]) => ({ name: key, content: shownText(value) })),
  ]
  return html`<dl class="facts">
${facts.map(({ name, content }) => html`<div><dt>${shownText(name, 60)}</dt><dd>${content}</dd></div>\n`)}</dl>`
}

function principalFacts({ record }: FoundRecord): Fact[] {
  const link = principalLink(record, WHOLE)
  if (!link) return []
  const claims: unknown = record.principal?.claims
  const shown = isJsonObject(claims) ? Object.entries(claims) : []
  return [
    { name: 'Who', content: html`${link} ${note('the issuer and the subject')}` },
    ...shown.map(([name, value]) => ({ name: `Claim ${name}`, content: shownText(value) })),
  ]
}

function factOf(member: Member, { value, now }: { value: unknown; now: number }): Fact[] {
  if (value === undefined) return []
  const { name, filter, isTime } = member
  const text = typeof value === 'string' ? value : undefined
  const at = isTime && text !== undefined ? Date.parse(text) : Number.NaN
  const shown = filter && text ? valueLink(text, { ...WHOLE, set: { [filter]: text } }) : shownText(value)
  return [
    {
      name,
      content: html`${shown}${Number.isNaN(at) ? null : html` (${timeAt(at, now)})`} ${member.note && note(member.note)}`,
    },
  ]
}

function configurationFacts({ changes, configuration }: JsonObject): Fact[] {
  const facts = isJsonObject(configuration) ? Object.entries(configuration) : []
  return [
    ...(isJsonObject(changes) ? [{ name: 'Changes', content: shownText(changesText(changes)) }] : []),
    ...facts.map(([name, value]) => ({ name: `Configuration ${name}`, content: shownText(value) })),
  ]
}

function note(text: string): SafeHtml {
  return html`<span class="note">${text}</span>`
}
