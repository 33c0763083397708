import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasProgram } from '../../support/databases/install.ts'
import { run } from '../../support/run.ts'
import { runCli } from '../../support/service/jeton.ts'
import { hasTerminals, runInTerminal } from '../../support/terminal.ts'

const ONE_FILE = fileURLToPath(new URL('../../../dist/jeton.mjs', import.meta.url))
const has = {
  bash: await hasProgram('bash'),
  zsh: await hasProgram('zsh'),
  fish: await hasProgram('fish'),
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jeton-completion-'))
  await writeFile(join(folder, 'claims.json'), '{}')
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout, stderr } = await runCli(['completion', shell])
    expect([code, stderr]).toEqual([0, ''])
    await writeFile(join(folder, `jeton.${shell}`), stdout)
  }
})
afterAll(() => rm(folder, { recursive: true }))

const script = (shell: string) => join(folder, `jeton.${shell}`)
const quote = (words: readonly string[]) => words.map(word => `'${word}'`).join(' ')

/** What each shell offers for the last of these words, in order. */
const COMPLETERS: Readonly<Record<'bash' | 'zsh' | 'fish', (words: readonly string[]) => Promise<string[]>>> =
  {
    async bash(words) {
      // as readline divides them, at COMP_WORDBREAKS
      const divided = words.flatMap(word => word.split(/(?<==)|(?==)/))
      const text = `cd '${folder}'; source '${script('bash')}'; compopt() { files=no; }; COMP_WORDS=(${quote(divided)}); COMP_CWORD=${divided.length - 1}; _jeton
      printf '%s\\n' "\${COMPREPLY[@]}"; [[ \${#COMPREPLY[@]} -gt 0 || $files == no ]] || compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"`
      return sortedLines(await run('bash', ['--norc', '-c', text]))
    },
    async zsh(words) {
      const text = `compdef() { :; }; _describe() { print -rl -- \${offered%%:*}; }; compadd() { shift; print -rl -- "$@"; }
      _files() { print -rl -- ${folder}/claims.json(:t); }; _normal() { print -r -- command; }; compset() { :; }
      source '${script('zsh')}'; words=(${quote(words)}); CURRENT=${words.length}; _jeton`
      const offered = await sortedLines(await run('zsh', ['-f', '-c', text]))
      const last = (words.at(-1) ?? '').replace(/^--[^=]*=/, '')
      return offered.filter(word => word === 'command' || word.startsWith(last))
    },
    async fish(words) {
      const line = words.join(' ')
      const text = `cd '${folder}'; source '${script('fish')}'; complete -C '${line}'`
      const env = { HOME: folder, XDG_CONFIG_HOME: folder }
      const offered = await sortedLines(await run('fish', ['--no-config', '-c', text], { env }))
      return offered.map(each => (each.split('\t')[0] ?? '').replace(/^--[^=]*=/, ''))
    },
  }

async function sortedLines({ stdout, stderr }: { stdout: string; stderr: string }): Promise<string[]> {
  expect(stderr).toBe('')
  return stdout
    .split('\n')
    .filter(line => line !== '')
    .sort()
}

describe.each(['bash', 'zsh', 'fish'] as const)('the script for %s', shell => {
  const offers = COMPLETERS[shell]

  test.runIf(has[shell]).each<[string[], string[]]>([
    [['jeton', 'dec'], ['decode']],
    [
      ['jeton', 'audit', ''],
      ['forward', 'query', 'verify'],
    ],
    [
      ['jeton', 'exec', '--pro'],
      ['--proxy', '--proxy-port'],
    ],
    [['jeton', 'proxy', '--no-'], ['--no-application-name']],
    [['jeton', 'proxy', '--socket-dir', 'cl'], ['claims.json']],
    [['jeton', 'audit', 'verify', '--ex'], ['--expect-last']],
    [
      ['jeton', 'audit', 'query', '-o', ''],
      ['csv', 'json', 'ocsf', 'table'],
    ],
    [['jeton', 'check', '--against', 'cl'], ['claims.json']],
    [
      ['jeton', 'iam', '--format', ''],
      ['cloudformation', 'json'],
    ],
    [
      ['jeton', 'decode', '-o', ''],
      ['json', 'text'],
    ],
    [['jeton', 'decode', '--output', 'j'], ['json']],
    [['jeton', 'lint-policy', '--output=j'], ['json']],
    [
      ['jeton', 'lint-policy', '--output='],
      ['json', 'text'],
    ],
    [['jeton', 'explain', '--claims=cl'], ['claims.json']],
    [
      ['jeton', 'completion', ''],
      ['bash', 'fish', 'zsh'],
    ],
    // a value that looks like a command
    [['jeton', 'doctor', '--user', 'exec', '--ti'], ['--timeout']],
    [['jeton', 'explain', '--claims', 'cl'], ['claims.json']],
    [['jeton', 'token', '--user', 'cl'], []],
  ])('offers for %j', async (words, offered) => {
    expect(await offers(words)).toEqual(offered)
  })

  test.runIf(has[shell])('offers every command, and for exec the commands of the system', async () => {
    const { stdout } = await runCli(['--help'])
    const known = [...stdout.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map(([, name]) => name ?? '')
    expect(await offers(['jeton', ''])).toEqual(known.filter(name => name !== 'help').sort())
    const commands = await offers(['jeton', 'exec', 'orders', '--', 'bas'])
    expect(commands).toContain(shell === 'zsh' ? 'command' : 'bash')
  })

  test.runIf(has[shell])('is of the one file too, with what that has', async () => {
    const { code, stdout } = await runCli(['completion', shell], { cli: ONE_FILE })
    expect(code).toBe(0)
    expect(stdout).toContain('jeton exec')
    expect(stdout).not.toContain('jeton serve')
  })
})

test.runIf(has.bash && hasTerminals)('a terminal with bash completes at the tabulator', async () => {
  const setUp = `PS1='> '; jeton() { echo "ran: $*"; }; source '${script('bash')}'`
  const { stdout } = await runInTerminal('bash --norc -i', {
    env: { TERM: 'dumb', HOME: folder },
    input: `${setUp}\njeton lint-\t--str\t\njeton token orders --output=mycn\t\nexit\n`,
  })
  expect(stdout).toContain('ran: lint-policy --strict')
  expect(stdout).toContain('ran: token orders --output=mycnf')
})

test('a shell that is not known is a usage error', async () => {
  const { code, stdout, stderr } = await runCli(['completion', 'tcsh'])
  expect([code, stdout]).toEqual([2, ''])
  expect(stderr).toContain('Allowed choices are bash, zsh, fish')
})
