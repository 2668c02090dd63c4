import { execFileSync } from 'node:child_process'
import { project } from './project.ts'

// testcontainers reads these when it first talks to the engine.
export default function setup(): void {
  // Its reaper is an image of its own, which offline nobody has; `sweep` does that work.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true'
  // Else "localhost", or the bridge's gateway when the tests themselves run in a container.
  process.env['TESTCONTAINERS_HOST_OVERRIDE'] ??= '127.0.0.1'
  ask(['version', '--format', '{{.Server.Version}}'], 'no Docker engine answers: run ci/dockerd.sh')
  ask(['compose', 'version'], 'no docker compose: install it, or export DOCKER_CONFIG=$(ci/tools.sh)/docker-config')
  sweep()
}

export function teardown(): void {
  sweep()
}

function ask(args: string[], cure: string): void {
  try {
    execFileSync('docker', args, { stdio: 'pipe', timeout: 10_000 })
  } catch (error) {
    throw new Error(cure, { cause: error })
  }
}

// What a killed run left behind, at the latest now.
function sweep(): void {
  execFileSync('docker', ['compose', '-p', project, 'down', '--volumes', '--timeout', '1'], { stdio: 'pipe' })
}
