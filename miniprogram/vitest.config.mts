import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Without uni's compiler: what is tested here is plain TypeScript, over a `uni` that tests/device.ts gives.
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  define: { __VERSION__: '"1.2.3"', __ORIGIN__: '""', __PLATFORM__: '"mp-weixin"' },
  test: { include: ["tests/**/*.test.ts"], setupFiles: ["tests/bare.ts"], pool: "forks" },
});
