import { describe, expect, test } from 'vitest'
import type { GrantSpec } from '../../src/authorization/grant.ts'
import { cellOf, elsewhere, grantMatrix, matrixRows } from '../../src/console/configuration/grant-matrix.ts'

const grant = (name: string, more: Partial<GrantSpec> = {}): GrantSpec => ({
  name,
  principal: { issuer: 'hub', subject: 'a' },
  database: 'orders',
  users: ['app'],
  ...more,
})
const ofIssuer = (issuer: string, subject = 'a') => ({ principal: { issuer, subject } })

describe('grantMatrix', () => {
  const matrixOf = (grants: readonly GrantSpec[], filter = {}, page = 1) =>
    grantMatrix(matrixRows(grants), { filter, page })

  test('has a row for each description of principals, together by issuer', () => {
    const { rows, columns } = matrixOf([
      grant('one'),
      grant('other', ofIssuer('own')),
      grant('two', { users: ['ro', 'app'] }),
      grant('last', ofIssuer('hub', 'b')),
    ])
    expect(rows.map(({ issuer, conditions }) => [issuer, ...conditions])).toEqual([
      ['hub', 'sub: a'],
      ['hub', 'sub: b'],
      ['own', 'sub: a'],
    ])
    expect(columns).toEqual([
      { database: 'orders', user: 'app' },
      { database: 'orders', user: 'ro' },
    ])
    const [first] = rows
    expect(first && columns.map(column => cellOf(first, column).map(({ name }) => name))).toEqual([
      ['one', 'two'],
      ['two'],
    ])
  })

  test('names the grant that makes another one count for nothing', () => {
    const { rows } = matrixOf([grant('wide', { users: ['app', 'ro'] }), grant('narrow')])
    expect(rows[0]?.grants.map(({ name, coveredBy }) => [name, coveredBy])).toEqual([
      ['wide', undefined],
      ['narrow', 'wide'],
    ])
  })

  test('leaves out no grant: those of database users without a column are elsewhere', () => {
    const grants = Array.from({ length: 40 }, (_, i) => grant(`g${i}`, { database: `db${i}` }))
    const { rows, columns } = matrixOf([...grants, grant('more', { database: 'db39', ...ofIssuer('own') })])
    const shown = rows.flatMap(row => [
      ...columns.flatMap(column => cellOf(row, column)),
      ...elsewhere(row, columns).flatMap(({ grants: others }) => others),
    ])
    expect(columns).toHaveLength(12)
    expect(columns[0]).toEqual({ database: 'db0', user: 'app' })
    expect(columns).toContainEqual({ database: 'db39', user: 'app' })
    expect(shown.map(({ name }) => name).sort()).toEqual([...grants.map(({ name }) => name), 'more'].sort())
  })

  test('filters by issuer, database and a part of the principal, and counts what is left', () => {
    const grants = [grant('one'), grant('two', { database: 'billing', ...ofIssuer('own', 'repo:Acme/x') })]
    const named = (filter: object) =>
      matrixOf(grants, filter).rows.flatMap(row => row.grants.map(({ name }) => name))
    expect(named({ issuer: 'own' })).toEqual(['two'])
    expect(named({ database: 'orders' })).toEqual(['one'])
    expect(named({ principal: 'acme' })).toEqual(['two'])
    expect(matrixOf(grants, { principal: 'nobody' })).toEqual({
      rows: [],
      columns: [],
      page: 1,
      pages: 1,
      total: 0,
    })
  })

  test('has 50 rows on a page, and the last page in place of one beyond', () => {
    const grants = Array.from({ length: 101 }, (_, i) => grant(`g${i}`, ofIssuer('hub', `s${i}`)))
    expect(
      [1, 2, 3, 9, -4].map(page => matrixOf(grants, {}, page)).map(({ rows, page }) => [page, rows.length]),
    ).toEqual([
      [1, 50],
      [2, 50],
      [3, 1],
      [3, 1],
      [1, 50],
    ])
  })
})
