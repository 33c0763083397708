import { basename } from 'node:path'
import { mergeCascades } from './cascades.ts'
import { checkApiKeys } from './checks/api-keys.ts'
import { checkAudit } from './checks/audit.ts'
import { checkDatabases } from './checks/databases.ts'
import { checkIssuers, checkTenancies } from './checks/issuers.ts'
import { checkGranted } from './checks/operators.ts'
import { checkServer } from './checks/server.ts'
import { checkStore } from './checks/store.ts'
import type { Config } from './config.ts'
import { hashFiles, originOf } from './hash-origin.ts'
import type { ConfigOrigin } from './origin.ts'
import type { ConfigText } from './placed-problems.ts'
import { createReport, type Problem } from './problems.ts'
import type { Purpose } from './purpose.ts'
import { findSchemaProblems } from './schema-problems.ts'
import { inputPaths, type Sections, selectSoundSections } from './sections.ts'
import type { Files } from './source/files.ts'
import { warnOfExposedFiles } from './warnings/exposed-files.ts'
import { findStrayText } from './warnings/stray-text.ts'
import { findWarnings } from './warnings.ts'

/** Overrides the configured address; the same rules apply. */
export interface Listen {
  host?: string | undefined
  port?: number | undefined
}

export interface LoadOptions extends Listen {
  /** Default: `check`, which is the strictest. */
  purpose?: Purpose
  /** The time in milliseconds; default: the machine's. */
  now?: number
  /** Whether what runs jeton keeps its stdout, as Lambda does, so that it may be the only log. */
  keepsStdout?: boolean
}

/** A configuration that was checked, if it has no problem. */
export interface CheckedConfig {
  readonly config: Config | undefined
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
  readonly origin: ConfigOrigin
}

/** Checks the value of a configuration's text, with the files that it names. Problems and warnings have no place yet. */
export async function checkConfig(
  value: unknown,
  {
    file,
    text,
    files: unhashed,
    purpose = 'check',
    now = Date.now(),
    keepsStdout = false,
    ...listen
  }: LoadOptions & ConfigText & { files: Files },
): Promise<CheckedConfig> {
  const files = hashFiles(unhashed)
  const schemaProblems = await findSchemaProblems(value)
  const sections = selectSoundSections(value, schemaProblems)
  const found: Problem[] = [...schemaProblems]
  const report = createReport(found)
  const doubts: Problem[] = []
  const doubtReport = createReport(doubts)
  const at = (section: keyof Sections) => ({
    files,
    purpose,
    now,
    report: report.at(section),
    warnings: doubtReport.at(section),
  })

  const server =
    sections.server &&
    (await checkServer(
      { ...sections.server, ...given(listen) },
      { ...at('server'), hasOperators: sections.operators.length > 0 },
    ))
  const issuers = await checkIssuers(sections.issuers, at('issuers'))
  const tenancies = checkTenancies(sections.issuers, report.at('issuers'))
  const apiKeys = checkApiKeys(sections.apiKeys, report.at('apiKeys'))
  const databases = checkDatabases(sections.databases, report.at('databases'))
  const { grants, operators } = checkGranted(sections, { tenancies, report })
  const store = sections.store && (await checkStore(sections.store, at('store')))
  const inputs = [basename(file), ...inputPaths(sections)]
  const audit = await checkAudit(sections.audit, { ...at('audit'), store: sections.store, inputs })

  const origin = originOf(text, { sections, files })
  const problems = mergeCascades(found, { schemaProblems, value })
  const isSound = server && store && problems.length === 0
  await warnOfExposedFiles(sections, { file, files, warnings: doubtReport })
  const warnings = [
    ...doubts,
    ...findStrayText(value),
    ...findWarnings({
      server,
      issuers,
      databases,
      grants,
      operators,
      audit: isSound && !keepsStdout ? audit : undefined,
      now,
    }),
  ]
  const config = isSound
    ? { server, issuers, apiKeys, databases, grants, operators, store, audit, origin }
    : undefined
  return { config, problems, warnings, origin }
}

/** Returns the members that are set: an undefined one must not replace the file's. */
function given({ host, port }: Listen): { host?: string; port?: number } {
  return { ...(host !== undefined && { host }), ...(port !== undefined && { port }) }
}
