import Type from 'typebox'
import { closed, port, text } from './common.ts'

const Tls = Type.Object(
  { cert: text('PEM file of the certificate and its chain'), key: text('PEM file of its private key') },
  { ...closed, description: 'Serve HTTPS' },
)

const Admin = Type.Object(
  {
    host: Type.Optional(text('Address to listen on; default 127.0.0.1')),
    port: Type.Optional(port('Default 9464; 0 picks a free one')),
  },
  { ...closed, description: 'Where /metrics listens, apart from callers; off unless configured' },
)

export const Server = Type.Object(
  {
    host: Type.Optional(
      text('Address to listen on; default 127.0.0.1. Anything but loopback needs tls or behindProxy'),
    ),
    port: Type.Optional(port('Default 8080; 0 picks a free one')),
    behindProxy: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10,
        description: 'How many proxies stand in front; X-Forwarded-For is believed so far',
      }),
    ),
    tls: Type.Optional(Tls),
    admin: Type.Optional(Admin),
  },
  { ...closed, description: '`jeton serve` only' },
)
