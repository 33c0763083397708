import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { canRun, hasProgram } from '../support/databases/install.ts'
import { exampleIn } from '../support/markdown.ts'
import { run } from '../support/run.ts'
import { readDashboard } from './board.ts'
import { isAlert, type RuleGroups, readRules } from './rules.ts'

/** The commands of deploy/README.md that install the dashboard and the alerts, run as they stand there. */
const DEPLOY = new URL('../../deploy/', import.meta.url)
const page = await readFile(new URL('README.md', DEPLOY), 'utf8')
const hasKubectl = await hasProgram('kubectl')

describe.runIf(await canRun(['prometheus']))('deploy/README.md', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'deploy-'))
    for (const name of ['grafana.json', 'prometheus-rules.yml'])
      await copyFile(new URL(name, DEPLOY), join(folder, name))
    await runExample('rules')
  })
  afterAll(() => rm(folder, { recursive: true }))

  async function runExample(name: string): Promise<string> {
    const { code, stdout, stderr } = await run('/bin/sh', ['-ec', `cd "${folder}"\n${exampleIn(page, name)}`])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    return stdout
  }
  const written = async (name: string) => parse(await readFile(join(folder, name), 'utf8'))

  test('gives every alert a runbook with an address', async () => {
    const { groups }: RuleGroups = await written('jeton.rules.yml')
    const alerts = groups.flatMap(({ rules }) => rules).filter(isAlert)
    expect(alerts.length).toBeGreaterThan(20)
    for (const { alert, annotations } of alerts)
      expect(annotations.runbook_url, alert).toMatch(
        /^https:\/\/git\.example\.com\/jeton\/docs\/runbooks\.md#/,
      )
  })

  test('has a scrape job that Prometheus accepts with the rules, under the name that they ask for', async () => {
    const config = parse(exampleIn(page, 'scrape'))
    await writeFile(
      join(folder, 'prometheus.yml'),
      JSON.stringify({ ...config, rule_files: ['jeton.rules.yml'] }),
    )
    const { code, stdout } = await run('promtool', ['check', 'config', join(folder, 'prometheus.yml')])
    expect([code, stdout]).toEqual([0, expect.stringContaining('rules found')])
    const asked = JSON.stringify(await readRules()).matchAll(/job=\\"([^"\\]+)/g)
    expect(new Set([...asked].map(([, job]) => job))).toEqual(new Set([config.scrape_configs[0].job_name]))
  })

  test('makes a PrometheusRule of the same groups', async () => {
    await runExample('prometheus-rule')
    expect(await written('jeton.rule.yml')).toEqual({
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: { name: 'jeton', labels: { release: 'kube-prometheus-stack' } },
      spec: await written('jeton.rules.yml'),
    })
  })

  test.runIf(hasKubectl)('makes a ConfigMap with the dashboard', async () => {
    await runExample('dashboard-map')
    const { metadata, data } = await written('jeton.dashboard.yml')
    expect(metadata).toMatchObject({ name: 'jeton-dashboard', labels: { grafana_dashboard: '1' } })
    expect(JSON.parse(data['jeton.json'])).toEqual(await readDashboard())
  })
})
