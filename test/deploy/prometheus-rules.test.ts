import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canRun } from '../support/databases/install.ts'
import { anchorsOf, readDocsPage } from '../support/markdown.ts'
import { run } from '../support/run.ts'
import { ALERT_CASES, type AlertCase } from './alert-cases.ts'
import { isAlert, RULES_FILE, readRules } from './rules.ts'

const { groups } = await readRules()
const alerts = groups.flatMap(({ rules }) => rules).filter(isAlert)
const severityOf = (name: string) => alerts.find(({ alert }) => alert === name)?.labels.severity

describe.runIf(await canRun(['prometheus']))('promtool', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rules-'))
    // what an alert says is not compared: its words would stand here a second time
    const silent = groups.map(group => ({
      ...group,
      rules: group.rules.map(rule => ({ ...rule, annotations: undefined })),
    }))
    await writeFile(join(folder, 'rules.json'), JSON.stringify({ groups: silent }))
  })
  afterAll(() => rm(folder, { recursive: true }))

  /** Runs `promtool test rules`; YAML takes JSON. */
  async function tryCases(cases: readonly AlertCase[]) {
    const file = join(folder, 'tests.json')
    const tests = cases.map(({ alert, what, series, at = '30m', fires }) => ({
      name: `${alert}: ${what}`,
      interval: '1m',
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      alert_rule_test: [
        {
          eval_time: at,
          alertname: alert,
          exp_alerts: fires.map(labels => ({ exp_labels: { ...labels, severity: severityOf(alert) } })),
        },
      ],
    }))
    await writeFile(file, JSON.stringify({ rule_files: ['rules.json'], evaluation_interval: '1m', tests }))
    const { code, stdout, stderr } = await run('promtool', ['test', 'rules', file])
    return { code, output: `${stdout}${stderr}` }
  }

  test('accepts the rules', async () => {
    const { code, stdout, stderr } = await run('promtool', ['check', 'rules', fileURLToPath(RULES_FILE)])
    expect(stderr).toBe('')
    expect(stdout).toContain('SUCCESS')
    expect(code).toBe(0)
  })

  test('sees every alert fire when it must, and stay quiet when it must not', async () => {
    expect(await tryCases(ALERT_CASES)).toEqual({ code: 0, output: expect.stringContaining('SUCCESS') })
  })
})

test('every alert has a case in which it fires and one in which it is quiet', () => {
  const namesOf = (cases: readonly AlertCase[]) => [...new Set(cases.map(({ alert }) => alert))].toSorted()
  const names = alerts.map(({ alert }) => alert).toSorted()
  expect(namesOf(ALERT_CASES.filter(({ fires }) => fires.length > 0))).toEqual(names)
  expect(namesOf(ALERT_CASES.filter(({ fires }) => fires.length === 0))).toEqual(names)
})

test('an alert’s words name only labels that it has when it fires', () => {
  for (const { alert, annotations } of alerts) {
    const firing = ALERT_CASES.filter(each => each.alert === alert).flatMap(({ fires }) => fires)
    const named = [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, name = '']) => name)
    for (const labels of firing) expect(Object.keys(labels), alert).toEqual(expect.arrayContaining(named))
  }
})

test('each alert has a severity, a sentence for the pager, what it means, and a runbook that exists', async () => {
  const anchors = anchorsOf(await readDocsPage('runbooks'))
  for (const { alert, labels, annotations } of alerts) {
    expect(['critical', 'warning', 'info'], alert).toContain(labels.severity)
    expect(Object.keys(annotations), alert).toEqual(['summary', 'description', 'runbook_url'])
    expect(annotations.summary.replace(/{{.*?}}/g, 'a-name').length, alert).toBeLessThan(80)
    expect(annotations.description, alert).toMatch(/(?:\.|--from 15m)$/)
    const [file, anchor] = annotations.runbook_url.split('#')
    expect(file, alert).toBe('docs/runbooks.md')
    expect(anchors, alert).toContain(anchor)
  }
})
