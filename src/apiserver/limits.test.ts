import { describe, expect, it } from "vitest";
import type { ApiRequest, UserInfo } from "../machinery/requests.ts";
import { testServer } from "./testServer.ts";

const controller: UserInfo = { name: "system:kube-controller-manager", groups: ["system:authenticated"] };
const MAPS = "/api/v1/namespaces/default/configmaps";

describe("limits", () => {
  it("make requests beyond 200 writes wait, and refuse those beyond the queue", async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = { name: "Slow", validate: () => gate };
    const server = testServer({ admission: [() => slow] });
    await server.ready;
    const create = (index: number) => {
      const request: ApiRequest = { method: "POST", path: MAPS, body: { metadata: { name: `m${index}` } } };
      return server.handle(request, controller);
    };
    const accepted = Array.from({ length: 200 + 3_200 }, (_, index) => create(index));
    const refused = await create(9_999);
    expect(refused).toMatchObject({ status: 429, headers: { "retry-after": "1" } });
    release();
    const statuses = (await Promise.all(accepted)).map(({ status }) => status);
    expect(statuses.every((status) => status === 201)).toBe(true);
  });

  it("end a request after a minute", async () => {
    const stuck = { name: "Stuck", validate: () => new Promise<void>(() => undefined) };
    const server = testServer({ admission: [() => stuck] });
    const answer = server.send("POST", MAPS, { metadata: { name: "m" } });
    await server.clock.advance(60_000);
    expect(await answer).toMatchObject({
      status: 504,
      body: { message: "Timeout: request did not complete within the allotted timeout" },
    });
  });

  it("answer probes before the store has been read, and nothing else", async () => {
    const server = testServer();
    expect((await server.send("GET", "/livez")).status).toBe(500);
    await server.ready;
    expect((await server.send("GET", "/livez")).status).toBe(200);
  });
});
