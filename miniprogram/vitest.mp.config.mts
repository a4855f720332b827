import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// The BUILT mini-program under node, against a running copy that tests/mini_program.py starts.
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  test: { include: ["tests-mp/**/*.test.ts"], pool: "forks", testTimeout: 240_000, hookTimeout: 60_000, bail: 1 },
});
