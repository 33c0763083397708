import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canRun } from '../support/databases/install.ts'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { type RecipeEnvironment, startRecipeEnvironment } from './environment.ts'
import { ON_POSTGRES, PYMYSQL, type PythonRecipe } from './python-recipes.ts'

/** The one that Debian's packages are for. */
const PYTHON = '/usr/bin/python3'
const MODULE = 'jeton_tokens.py'

const hasPython = await canRun(['python-drivers', 'libnss-wrapper'])

async function startPython(engine: 'postgres' | 'mariadb'): Promise<RecipeEnvironment> {
  const recipe = await startRecipeEnvironment(engine)
  await recipe.put(MODULE, exampleIn(await readDocsPage('connect/python'), MODULE))
  return recipe
}

async function runPython(recipe: RecipeEnvironment, text: string) {
  return recipe.run(PYTHON, [await recipe.put('app.py', text)])
}

/** The code of the page logs in, then again with a newer token; and what it throws if the database refuses the token. */
async function expectRenewal(
  recipe: RecipeEnvironment,
  { page, example, twice, once, refusal }: PythonRecipe,
) {
  const code = exampleIn(await readDocsPage(page), example)
  const before = recipe.logins.length
  const ran = await runPython(recipe, `${code}${twice}`)
  expect(ran).toEqual({ code: 0, stdout: expect.stringMatching(/^(migrator|app_rw@%)\n$/), stderr: '' })
  const logins = recipe.logins.slice(before)
  expect(logins.every(login => login.ok)).toBe(true)
  expect(logins.at(-1)?.fingerprint).not.toBe(logins[0]?.fingerprint)

  recipe.expireTokens()
  const refused = await runPython(recipe, `${code}\n${once}`)
  recipe.restoreClock()
  expect(refused.stderr).toMatch(refusal)
  expect(refused.stderr).not.toContain('X-Amz-Signature')
}

describe.runIf(hasPython && (await canRun(['postgres'])))('Python and PostgreSQL', () => {
  let recipe: RecipeEnvironment
  beforeAll(async () => {
    recipe = await startPython('postgres')
    const django = await readDocsPage('connect/django')
    await recipe.put('jeton_postgres/base.py', exampleIn(django, 'jeton_postgres/base.py'))
    await recipe.put('jeton_postgres/__init__.py', '')
  })
  afterAll(() => recipe?.close())

  test.each(ON_POSTGRES)('the page for $example logs in, and with a newer token after that', async each => {
    await expectRenewal(recipe, each)
  })

  test('when a renewal fails, the token in hand is used until it ends; then the failure is raised', async () => {
    const { code, stdout, stderr } = await runPython(
      recipe,
      `
import os, time
from jeton_tokens import Tokens
orders = Tokens("orders", "--wait", "0")
old = orders.get()["token"]
os.environ["JETON_URL"] = "http://127.0.0.1:1"
orders._ask_at = 0
print(orders.get()["token"] == old, orders._ask_at > time.time())
orders._ask_at = orders._ends = 0
orders.get()`,
    )
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'True True\n' })
    expect(stderr).toMatch(/^subprocess\.CalledProcessError: .* returned non-zero exit status [14]\.$/m)
  })

  test('while a renewal hangs, other threads go on with the token in hand', async () => {
    const ran = await runPython(
      recipe,
      `
import threading
from jeton_tokens import Tokens
orders = Tokens("orders")
old = orders.get()["token"]
orders._command = ["sh", "-c", "for i in $(seq 100); do [ -f go-on ] && exit 1; sleep 0.1; done; exit 1"]
orders._ask_at = 0
asking = threading.Thread(target=orders.get)
asking.start()
while not orders._lock.locked():
    pass
print(orders.get()["token"] == old, asking.is_alive())
open("go-on", "w")
asking.join()`,
    )
    expect(ran).toEqual({ code: 0, stdout: 'True True\n', stderr: '' })
  })

  test('with `connect`, libpq dials that, and checks the certificate for the name of RDS', async () => {
    const script = (host: string) => `
import psycopg
from jeton_tokens import Tokens
orders = Tokens("orders")
reply = orders.get()
reply.update(connectAddress="127.0.0.1", connectPort=reply["port"], port="1"${host})
orders._ask_at = orders._ends
print(psycopg.connect(**orders.libpq()).info.hostaddr)`
    expect(await runPython(recipe, script(''))).toEqual({ code: 0, stdout: '127.0.0.1\n', stderr: '' })
    const { stderr } = await runPython(recipe, script(', host="localhost"'))
    expect(stderr).toContain('does not match host name "localhost"')
  })

  const askJeton = () => recipe.run('jeton', ['token', 'orders', '-o', 'json'])

  test('20 threads ask once', async () => {
    recipe.useLongSessions()
    while (Number(JSON.parse((await askJeton()).stdout).expiresIn) < 600) await pause(100)
    const script = `
from concurrent.futures import ThreadPoolExecutor
from jeton_tokens import Tokens
orders = Tokens("orders")
with ThreadPoolExecutor(20) as pool:
    print(len({reply["token"] for reply in pool.map(lambda _: orders.get(), range(20))}))`
    const before = recipe.countRequests()
    expect(await runPython(recipe, script)).toEqual({ code: 0, stdout: '1\n', stderr: '' })
    expect(recipe.countRequests() - before).toBe(1)
  })
})

describe.runIf(hasPython && (await canRun(['mariadb'])))('Python and MariaDB', () => {
  let recipe: RecipeEnvironment
  beforeAll(async () => {
    recipe = await startPython('mariadb')
  })
  afterAll(() => recipe?.close())

  test('the page for PyMySQL logs in, and with a newer token after that', async () => {
    await expectRenewal(recipe, PYMYSQL)
  })

  test('PyMySQL sends no token to a server that has no TLS and asks for a clear-text password', async () => {
    let received = Buffer.alloc(0)
    const server = createServer(socket => {
      socket.on('error', () => {}).write(GREETING)
      socket.on('data', bytes => {
        received = Buffer.concat([received, bytes])
        socket.write(packet(received.readUInt8(3) + 1, '\xfemysql_clear_password\0'))
      })
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const code = exampleIn(await readDocsPage('connect/pymysql'), 'pymysql')
    const lead = `
ledger.get().update(connectHost="127.0.0.1", connectPort="${port}")
ledger._ask_at = ledger._ends
`
    const { stderr } = await runPython(recipe, `${code}${lead}connect()`)
    expect(received.length).toBe(0)
    expect(stderr).toContain(
      "pymysql.err.OperationalError: (2026, 'the server has no TLS: it gets no token')",
    )

    await runPython(recipe, `${code}${lead}Connection = pymysql.Connection\nconnect()`)
    server.close()
    expect(received.toString('latin1')).toContain('X-Amz-Signature')
  })
})

function packet(sequence: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length, 0, 0, sequence]), Buffer.from(text, 'latin1')])
}

/** Protocol 10, without CLIENT_SSL (0x800), with CLIENT_PLUGIN_AUTH (0x80000) and the capabilities before it. */
const GREETING = packet(
  0,
  `\n5.7.0\0\x01\0\0\0saltsalt\0\xff\xf7\x21\x02\0\x0f\x00\x15${'\0'.repeat(10)}saltsaltsalt\0mysql_native_password\0`,
)
