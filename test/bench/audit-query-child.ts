import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, existsSync, readFileSync } from 'node:fs'

/** Runs `jeton audit query`, or a loop that parses each line of a file, and prints how long that took and its peak of memory. */
const [, , kind = '', file = '', ...args] = process.argv
const startedAt = performance.now()

if (kind === 'bare') {
  let [rest, count] = ['', 0]
  for await (const chunk of createReadStream(file, { encoding: 'utf8', highWaterMark: 256 * 1024 })) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (JSON.parse(line).decision === 'refused') count++
  }
  if (count === 0) throw new Error('it found nothing')
  print(performance.now() - startedAt, process.resourceUsage().maxRSS)
} else {
  const child = spawn(process.execPath, [file, 'audit', 'query', ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let [bytes, peakKib] = [0, 0]
  child.stdout.on('data', chunk => {
    bytes += chunk.length
  })
  // its own peak, as the kernel counts it, for as long as it can be read
  const status = `/proc/${child.pid}/status`
  const timer = setInterval(() => {
    if (!existsSync(status)) return
    const [, kib = '0'] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(status, 'utf8')) ?? []
    peakKib = Math.max(peakKib, Number(kib))
  }, 10)
  const [code] = await once(child, 'close')
  clearInterval(timer)
  if (code !== 0 || bytes === 0) throw new Error(`it ended with ${code}, and printed ${bytes} bytes`)
  print(performance.now() - startedAt, peakKib)
}

function print(ms: number, kib: number): void {
  process.stdout.write(JSON.stringify({ seconds: ms / 1000, mebibytes: kib / 1024 }))
}
