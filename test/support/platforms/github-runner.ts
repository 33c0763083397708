import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { githubLog } from '../job-log.ts'
import { type ProgramResult, run } from '../run.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** action.yml, as a runner reads it. */
export const ACTION = parse(await readFile(join(ROOT, 'action.yml'), 'utf8')) as {
  inputs: Record<string, { default?: string; required?: boolean }>
  outputs: Record<string, object>
  runs: { using: string; main: string; post: string; 'post-if': string }
}

/** What a step of a job did. */
export interface StepResult {
  readonly code: number | null
  /** What it printed, commands and all. */
  readonly printed: string
  /** What the log of the job shows of that. */
  readonly log: string
  readonly outputs: Readonly<Record<string, string>>
}

/** A stand-in for a runner of GitHub Actions, which runs a job's steps one after the other. */
export interface GithubRunner {
  /** The folder of the job's temporary files. */
  readonly temp: string
  /** The job's environment for the next step, without PATH. */
  readonly env: Readonly<Record<string, string>>
  /** Runs the action with these inputs. */
  uses(inputs: Readonly<Record<string, string>>): Promise<StepResult>
  /** Runs a script of the shell. */
  run(script: string): Promise<ProgramResult>
  /** Runs `post` of all actions, the last one first. */
  finish(): Promise<StepResult[]>
  /** Runs `post` of an action with these inputs, whose step has saved this. */
  post(inputs: Readonly<Record<string, string>>, state: Readonly<Record<string, string>>): Promise<StepResult>
  close(): Promise<void>
}

type Values = Readonly<Record<string, string>>

export interface RunnerOptions {
  /** The job's `env:` and what the runner itself sets. */
  env: Readonly<Record<string, string>>
  /** Variables of the runner that are not set. */
  without?: readonly string[]
}

/** Starts a job. https://github.com/actions/runner has what this stands in for: FileCommandManager.cs, ActionCommandManager.cs */
export async function startGithubRunner({ env: jobEnv, without = [] }: RunnerOptions): Promise<GithubRunner> {
  const temp = await mkdtemp(join(tmpdir(), 'github-runner-'))
  let exported: Record<string, string> = {}
  let path = process.env.PATH ?? ''
  const posts: (() => Promise<StepResult>)[] = []

  async function runNode(file: string, env: Values, state: Values) {
    const files = join(temp, '_runner_file_commands', randomUUID())
    await mkdir(files, { recursive: true })
    const own: Record<string, string> = { RUNNER_TEMP: temp }
    for (const name of ['OUTPUT', 'ENV', 'STATE', 'PATH']) {
      own[`GITHUB_${name}`] = join(files, name)
      await writeFile(join(files, name), '')
    }
    for (const name of without) delete own[name]
    const stateEnv = Object.fromEntries(
      Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]),
    )
    const { code, stdout, stderr } = await run(process.execPath, [join(ROOT, file)], {
      env: { ...jobEnv, ...exported, PATH: path, ...env, ...own, ...stateEnv },
    })
    const printed = `${stdout}${stderr}`
    const read = async (name: string) => readFile(join(files, name), 'utf8')
    const set = parseFileCommand(await read('ENV'))
    if ('NODE_OPTIONS' in set) throw new Error("can't store NODE_OPTIONS")
    exported = { ...exported, ...set }
    for (const folder of (await read('PATH')).split('\n').filter(Boolean)) path = `${folder}:${path}`
    return {
      result: {
        code,
        printed,
        log: githubLog(printed),
        outputs: parseFileCommand(await read('OUTPUT')),
      },
      state: { ...state, ...parseFileCommand(await read('STATE')) },
    }
  }

  const post: GithubRunner['post'] = async (inputs, state) =>
    (await runNode(ACTION.runs.post, inputVariables(inputs), state)).result

  return {
    temp,
    get env() {
      return { ...jobEnv, ...exported }
    },
    async uses(inputs) {
      const { result, state } = await runNode(ACTION.runs.main, inputVariables(inputs), {})
      posts.unshift(() => post(inputs, state))
      return result
    },
    post,
    run: script => run('bash', ['-e', '-c', script], { env: { ...jobEnv, ...exported, PATH: path } }),
    async finish() {
      const results: StepResult[] = []
      for (const post of posts) results.push(await post())
      return results
    },
    close: () => rm(temp, { recursive: true, force: true }),
  }
}

/** Every input of action.yml, as given or as it is by default. */
function inputVariables(inputs: Readonly<Record<string, string>>): Record<string, string> {
  const unknown = Object.keys(inputs).filter(name => !(name in ACTION.inputs))
  if (unknown.length > 0) throw new Error(`unexpected inputs: ${unknown.join(', ')}`)
  const given = Object.entries(ACTION.inputs).map(([name, { default: value = '' }]) => [
    `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`,
    inputs[name] ?? value,
  ])
  return Object.fromEntries(given)
}

/** `SetEnvFileCommand.ProcessCommand`: `NAME=VALUE`, and `NAME<<DELIMITER` up to a line that is the delimiter. */
function parseFileCommand(text: string): Record<string, string> {
  const values: Record<string, string> = {}
  const lines = text.split('\n')
  while (lines.length > 0) {
    const line = lines.shift() ?? ''
    if (line === '') continue
    const [, name = '', operator, rest = ''] = /^(.*?)(=|<<)(.*)$/.exec(line) ?? []
    if (name === '' || operator === undefined) throw new Error(`invalid format: ${line}`)
    if (operator === '=') {
      values[name] = rest
      continue
    }
    const end = lines.indexOf(rest)
    if (end < 0) throw new Error(`no matching delimiter: ${rest}`)
    values[name] = lines
      .splice(0, end + 1)
      .slice(0, -1)
      .join('\n')
  }
  return values
}
