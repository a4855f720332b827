/** The API's calls as types, read off the generated schema: a wrong path, field or answer does not compile. */

import type { paths } from "./schema";

export type Verb = "get" | "post" | "put" | "delete";

type Operation<P extends keyof paths, V extends Verb> = paths[P][V];

/** The paths that know the verb. */
export type PathOf<V extends Verb> = {
  [P in keyof paths]: Operation<P, V> extends { responses: unknown } ? P : never;
}[keyof paths];

type Json<T> = T extends { content: { "application/json": infer Body } } ? Body : undefined;

type Parameters<O, Place extends "path" | "query"> = O extends { parameters: infer All }
  ? Place extends keyof All
    ? Exclude<All[Place], undefined>
    : never
  : never;

type Body<O> = O extends { requestBody?: infer R } ? Json<Exclude<R, undefined>> : undefined;

type Given<Name extends string, T> = [T] extends [undefined]
  ? unknown
  : Partial<T> extends T
    ? { [N in Name]?: T }
    : { [N in Name]: T };

/** What a call is given: the parameters in its path and query, and its JSON body. */
export type Input<P extends keyof paths, V extends Verb> = Given<"path", Parameters<Operation<P, V>, "path">> &
  Given<"query", Parameters<Operation<P, V>, "query">> &
  Given<"body", Body<Operation<P, V>>>;

/** What it answers: the JSON of its 200 or 201, or undefined for 204. */
export type Output<P extends keyof paths, V extends Verb> =
  Operation<P, V> extends { responses: infer R }
    ? 200 extends keyof R
      ? Json<R[200]>
      : 201 extends keyof R
        ? Json<R[201]>
        : undefined
    : never;
