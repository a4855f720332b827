import type { Client } from "../src/api/client";

/** Never run: `tsc` fails if one of these wrong calls begins to compile. */
export function wrongCalls(client: Client): void {
  // @ts-expect-error no such path
  void client.call("get", "/api/v1/nowhere", {});
  // @ts-expect-error the path knows no DELETE
  void client.call("delete", "/api/v1/home", {});
  // @ts-expect-error the path's parameter is missing
  void client.call("get", "/api/v1/orders/{order_id}", {});
  // @ts-expect-error a field of the body is missing
  void client.call("post", "/api/v1/activation", { body: {} });
  // @ts-expect-error the answer has no such field
  void client.call("get", "/api/v1/me", {}).then((me) => me.id_card);
}
