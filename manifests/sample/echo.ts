// Answers with the Pod's name and what it was asked for.
const pod = Deno.env.get("POD_NAME");

Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
Deno.serve({ port: 8080 }, (request) => {
  const { pathname, search } = new URL(request.url);
  const answer = { pod, method: request.method, host: request.headers.get("host"), path: pathname + search };
  return Response.json(answer);
});
