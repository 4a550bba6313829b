/** `node health.ts`: ends with 0 if the learner's Jupyter server in this container answers, else with 1. */

// The hub says where the server listens: http://0.0.0.0:8888/user/ada/
const { JUPYTERHUB_SERVICE_URL = 'http://127.0.0.1:8888/' } = process.env;
const { port, pathname } = new URL(JUPYTERHUB_SERVICE_URL);
try {
  const response = await fetch(`http://127.0.0.1:${port}${pathname}api`, {
    signal: AbortSignal.timeout(4_000),
  });
  process.exitCode = response.ok ? 0 : 1;
} catch {
  process.exitCode = 1;
}
