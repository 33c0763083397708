import { expect, test } from 'vitest'
import { parseNoProxy } from '../../src/lib/no-proxy.ts'

test.each([
  // a domain, however it is written, and all below it
  ['example.com', 'https://example.com/'],
  ['example.com', 'https://sts.example.com/'],
  ['.example.com', 'https://sts.example.com/'],
  ['.example.com', 'https://example.com/'],
  ['*.example.com', 'https://a.b.example.com/'],
  ['EXAMPLE.com', 'https://sts.Example.COM/'],
  ['example.com.', 'https://example.com/'],
  ['example.com', 'https://example.com./'],
  ['bücher.example', 'https://bücher.example/'],
  // several, separated by commas or spaces
  ['a.example, example.com', 'https://example.com/'],
  ['a.example example.com', 'https://example.com/'],
  [',, example.com ,', 'https://example.com/'],
  // a port, if it is that one
  ['example.com:443', 'https://example.com/'],
  ['example.com:8443', 'https://example.com:8443/'],
  ['example.com:80', 'http://example.com/'],
  // addresses and networks
  ['192.0.2.1', 'https://192.0.2.1/'],
  ['192.0.2.1:8443', 'https://192.0.2.1:8443/'],
  ['192.0.2.0/24', 'https://192.0.2.200/'],
  ['2001:db8::1', 'https://[2001:db8:0::1]/'],
  ['[2001:db8::1]', 'https://[2001:db8::1]/'],
  ['[2001:db8::1]:8443', 'https://[2001:db8::1]:8443/'],
  ['2001:db8::/32', 'https://[2001:db8:ff::1]/'],
  ['::/0', 'https://[2001:db8::1]/'],
  ['0.0.0.0/0', 'https://192.0.2.1/'],
  ['2001:db8::1%eth0', 'https://[2001:db8::1]/'],
  // IPv4 within IPv6, on either side
  ['192.0.2.0/24', 'https://[::ffff:192.0.2.1]/'],
  ['::ffff:192.0.2.1', 'https://192.0.2.1/'],
  ['::ffff:c000:201', 'https://192.0.2.1/'],
  ['', 'https://[::ffff:169.254.169.254]/'],
  // everything
  ['*', 'https://example.com/'],
  ['a.example,*', 'https://192.0.2.1/'],
  // this machine, and what gives credentials on the same link, always
  ['', 'http://127.0.0.1:8080/'],
  ['', 'http://localhost/'],
  ['', 'http://[::1]:1/'],
  ['', 'http://127.8.9.10/'],
  ['', 'http://169.254.169.254/latest/meta-data/'],
  ['', 'http://169.254.170.2/v2/credentials'],
  ['', 'http://169.254.170.23/v1/credentials'],
  ['', 'http://[fd00:ec2::23]/v1/credentials'],
  ['', 'http://[fd00:ec2::254]/'],
])('NO_PROXY=%j excepts %s', (list, url) => {
  expect(parseNoProxy(list)(new URL(url))).toBe(true)
})

test.each([
  ['', 'https://example.com/'],
  ['example.com', 'https://notexample.com/'],
  ['example.com', 'https://example.com.evil.example/'],
  ['example.com', 'https://example.org/'],
  ['sts.example.com', 'https://example.com/'],
  ['example.com:80', 'https://example.com/'],
  ['example.com:443', 'https://example.com:8443/'],
  ['192.0.2.1', 'https://192.0.2.10/'],
  ['192.0.2.0/24', 'https://192.0.3.1/'],
  ['192.0.2.1:443', 'https://192.0.2.1:8443/'],
  ['192.0.2.0/24', 'https://192.0.2.1.example.com/'],
  ['0.0.0.0/99', 'https://192.0.2.1/'],
  ['::/129', 'https://[2001:db8::1]/'],
  ['::/0', 'https://192.0.2.1/'],
  ['0.0.0.0/0', 'https://[2001:db8::1]/'],
  ['.', 'https://example.com/'],
  ['com.example', 'https://example.com/'],
  [undefined, 'https://localhost.example.com/'],
  [undefined, 'https://169.253.1.1/'],
])('NO_PROXY=%j does not except %s', (list, url) => {
  expect(parseNoProxy(list)(new URL(url))).toBe(false)
})
