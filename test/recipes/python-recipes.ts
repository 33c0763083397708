/** What a test does with the code of a page. */
export interface PythonRecipe {
  readonly page: string
  readonly example: string
  /** Connects, waits until `jeton token` returns another token, connects again, and prints the user of the second login. */
  readonly twice: string
  /** Connects with a token that has ended. */
  readonly once: string
  /** The last line of the exception. */
  readonly refusal: RegExp
}

const WAIT = `
import time

def wait_for_newer(tokens):
    old = tokens.get()["token"]
    while tokens.get()["token"] == old:
        time.sleep(0.1)
`

const DJANGO = `
import django
from django.conf import settings
from django.db import connection
settings.configure(DATABASES=DATABASES)
django.setup()

def log_in():
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("select current_user")
        print(*cursor.fetchone())
`

const FATAL = 'FATAL: {2}LDAP authentication failed for user "migrator"$'

export const ON_POSTGRES: readonly PythonRecipe[] = [
  {
    page: 'connect/psycopg',
    example: 'psycopg3',
    twice: `${WAIT}
pool.wait()
wait_for_newer(orders)
with pool.connection() as first, pool.connection() as second:
    print(*second.execute("select current_user").fetchone())
pool.close()
`,
    once: 'psycopg.connect(**orders.libpq())',
    refusal: new RegExp(`^psycopg\\.OperationalError: connection failed: ${FATAL}`, 'm'),
  },
  {
    page: 'connect/psycopg',
    example: 'psycopg2',
    twice: `${WAIT}
wait_for_newer(orders)
first, second = pool.getconn(), pool.getconn()
cursor = second.cursor()
cursor.execute("select current_user")
print(*cursor.fetchone())
`,
    once: '',
    refusal: new RegExp(`^psycopg2\\.OperationalError: connection to server at .*${FATAL}`, 'm'),
  },
  {
    page: 'connect/sqlalchemy',
    example: 'sqlalchemy',
    twice: `${WAIT}
with engine.connect() as first:
    wait_for_newer(orders)
    with engine.connect() as second:
        print(second.exec_driver_sql("select current_user").scalar())
`,
    once: 'engine.connect()',
    refusal: new RegExp(
      `^sqlalchemy\\.exc\\.OperationalError: \\(psycopg2\\.OperationalError\\) .*${FATAL}`,
      'm',
    ),
  },
  {
    page: 'connect/django',
    example: 'django settings',
    twice: `${WAIT}${DJANGO}
connection.ensure_connection()
with connection._nodb_cursor() as cursor: # as manage.py test connects
    cursor.execute("select current_database()")
    assert cursor.fetchone() == ("postgres",)
from jeton_postgres.base import databases
wait_for_newer(databases["orders"])
log_in()
`,
    once: `${DJANGO}log_in()`,
    refusal: new RegExp(`^django\\.db\\.utils\\.OperationalError: connection to server at .*${FATAL}`, 'm'),
  },
  {
    page: 'connect/asyncpg',
    example: 'asyncpg',
    twice: `${WAIT}
async def log_in():
    pool = await create_pool(min_size=1)
    wait_for_newer(orders)
    async with pool.acquire() as first, pool.acquire() as second:
        print(await second.fetchval("select current_user"))
    await pool.close()

asyncio.run(log_in())
`,
    once: 'asyncio.run(create_pool(min_size=1))',
    refusal:
      /^asyncpg\.exceptions\.InvalidAuthorizationSpecificationError: LDAP authentication failed for user "migrator"$/m,
  },
]

export const PYMYSQL: PythonRecipe = {
  page: 'connect/pymysql',
  example: 'pymysql',
  twice: `${WAIT}
first = connect()
wait_for_newer(ledger)
second = connect()
cursor = second.cursor()
cursor.execute("select current_user()")
print(*cursor.fetchone())
`,
  once: 'connect()',
  refusal:
    /^pymysql\.err\.OperationalError: \(1045, "Access denied for user 'app_rw'@'127\.0\.0\.1' \(using password: NO\)"\)$/m,
}
