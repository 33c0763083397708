import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseAddress } from '../../src/rds/address.ts'

test.each([
  ['db-tunnel.example.com:15432', { host: 'db-tunnel.example.com', port: 15432 }],
  ['localhost:1', { host: 'localhost', port: 1 }],
  ['pg_bouncer:65535', { host: 'pg_bouncer', port: 65535 }],
  ['127.0.0.1:5432', { host: '127.0.0.1', port: 5432 }],
  ['[::1]:5432', { host: '::1', port: 5432 }],
  ['[2001:db8::7]:5432', { host: '2001:db8::7', port: 5432 }],
])('parseAddress reads %s', (text, address) => {
  expect(parseAddress(text)).toEqual(address)
})

test.each([
  '',
  'db',
  'db:',
  ':5432',
  'db:0',
  'db:65536',
  'db:5432x',
  'db:-1',
  'db:5432\n',
  'db.:5432',
  'd b:5432',
  'user@db:5432',
  'tcp://db:5432',
  'db/x:5432',
  '::1:5432',
  '[::1]',
  '[localhost]:5432',
  '[127.0.0.1]:5432',
  '[fe80::1%eth0]:5432',
  '10.0.0.999:5432',
  '10.1:5432',
  `${'a'.repeat(64)}:5432`,
  `${'a.'.repeat(127)}a:5432`,
])('parseAddress rejects %j', text => {
  expect(parseAddress(text)).toBeUndefined()
})

test('parseAddress reads back every host and port, and never throws', () => {
  const port = fc.integer({ min: 1, max: 65_535 })
  const host = fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6())
  fc.assert(
    fc.property(host, port, (host, port) => {
      const text = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
      expect(parseAddress(text)).toEqual({ host, port })
    }),
  )
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => void parseAddress(text)))
})
