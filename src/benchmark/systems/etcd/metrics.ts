// What a member of etcd counts about itself, in the text format of Prometheus.

import { get } from 'node:http'

const answerMsMax = 5_000
const bytesMax = 4 * 1024 * 1024

export type Metrics = (name: string) => number

/** Null if it does not answer. Series of one name, such as those of each peer, are summed; what is not told counts as 0. */
export function readMetrics(port: number): Promise<Metrics | null> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/metrics', timeout: answerMsMax }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > bytesMax) request.destroy()
      })
      response.on('end', () => resolve(response.statusCode === 200 ? parseMetrics(text) : null))
      response.on('error', () => resolve(null))
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(null))
    request.on('close', () => resolve(null))
  })
}

export function parseMetrics(text: string): Metrics {
  const sums = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-z_]+)(?:\{[^}]*\})? (\S+)$/.exec(line) ?? []
    if (name !== undefined) sums.set(name, (sums.get(name) ?? 0) + Number(value))
  }
  return (name) => sums.get(name) ?? 0
}
