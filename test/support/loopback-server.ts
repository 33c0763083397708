export { type LoopbackServer, listenOnLoopback, serveOnLoopback } from '../../src/dev/loopback-server.ts'
