import { homedir } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canRun, hasProgram } from '../support/databases/install.ts'
import { exampleIn, readDocsPage } from '../support/markdown.ts'
import { type RecipeEnvironment, startRecipeEnvironment } from './environment.ts'

const GOPATH = '/usr/share/gocode'
const PACKAGES = ['github.com/jackc/pgx/v4/conn.go', 'github.com/go-sql-driver/mysql/driver.go']

/** Go is too big to be installed for this alone. */
const hasGo = (
  await Promise.all([
    hasProgram('go'),
    hasProgram('gcc'),
    ...PACKAGES.map(path => hasProgram(`${GOPATH}/src/${path}`)),
  ])
).every(Boolean)
const canRunGo = hasGo && (await canRun(['libnss-wrapper']))

/** libnss_wrapper needs the resolver of libc. */
const ENVIRONMENT = [
  'GO111MODULE=off',
  `GOPATH=${GOPATH}`,
  `GOCACHE=${homedir()}/.cache/go-build`,
  'GODEBUG=netdns=cgo',
]

/** What `twice` does: it connects, waits for a newer token, connects again, and prints the user of that. */
const MAIN = `
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"time"
)

func waitForNewer(tokens *Tokens) {
	old, _ := tokens.Get()
	for login, _ := tokens.Get(); login.Token == old.Token; login, _ = tokens.Get() {
		time.Sleep(100 * time.Millisecond)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	ctx, user := context.Background(), ""
	if os.Args[1] == "orders" {
		pool, err := openOrders(ctx)
		check(err)
		_, err = pool.Acquire(ctx)
		check(err)
		waitForNewer(orders)
		second, err := pool.Acquire(ctx)
		check(err)
		check(second.QueryRow(ctx, "select current_user").Scan(&user))
	} else {
		pool := sql.OpenDB(LedgerConnector{})
		_, err := pool.Conn(ctx)
		check(err)
		waitForNewer(ledger)
		second, err := pool.Conn(ctx)
		check(err)
		check(second.QueryRowContext(ctx, "select current_user()").Scan(&user))
	}
	fmt.Println(user)
}
`

describe.runIf(canRunGo).each([
  {
    engine: 'postgres' as const,
    database: 'orders',
    user: 'migrator',
    refusal: /failed to connect to .*LDAP authentication failed for user "migrator" \(SQLSTATE 28000\)/,
  },
  {
    engine: 'mariadb' as const,
    database: 'ledger',
    user: 'app_rw@%',
    refusal: /Error 1045: Access denied for user 'app_rw'@'127\.0\.0\.1' \(using password: NO\)/,
  },
])('Go and $database', ({ engine, database, user, refusal }) => {
  let recipe: RecipeEnvironment
  beforeAll(async () => {
    recipe = await startRecipeEnvironment(engine)
    const page = await readDocsPage('connect/go')
    for (const name of ['jeton.go', 'orders.go', 'ledger.go']) await recipe.put(name, exampleIn(page, name))
    await recipe.put('main.go', MAIN)
    expect(await recipe.run('env', [...ENVIRONMENT, 'go', 'build', '-o', 'main', '.'])).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    })
  }, 240_000)
  afterAll(() => recipe?.close())

  const runMain = () => recipe.run('env', [...ENVIRONMENT, './main', database])

  test('logs in, and with a newer token after that', async () => {
    expect(await runMain()).toEqual({ code: 0, stdout: `${user}\n`, stderr: '' })
    expect(recipe.logins.every(login => login.ok)).toBe(true)
    expect(recipe.logins.at(-1)?.fingerprint).not.toBe(recipe.logins[0]?.fingerprint)
  })

  test('a token that has ended is refused with the error of the page', async () => {
    recipe.expireTokens()
    const { stdout, stderr } = await runMain()
    expect(stdout).toBe('')
    expect(stderr).toMatch(refusal)
  })
})
