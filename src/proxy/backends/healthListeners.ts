import { createServer } from "node:http";
import type { OpenHealthPort } from "../healthPorts.ts";

/** Real HTTP servers in the network that this process is in. */
export const healthListeners: OpenHealthPort = (port, answer) => {
  const server = createServer((request, response) => {
    const { status, headers, body } = answer(request.url?.split("?", 1)[0] ?? "/") ?? NOT_FOUND;
    response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
    response.end(request.method === "HEAD" ? undefined : body);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "0.0.0.0", () =>
      resolve({
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      }),
    );
  });
};

/** Source: net/http NotFound. */
const NOT_FOUND = {
  status: 404,
  headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
  body: "404 page not found\n",
} as const;
