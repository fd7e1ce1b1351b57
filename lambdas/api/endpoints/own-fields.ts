import type * as z from 'zod/mini';
import { OWN_FIELDS, type OwnFieldName } from '../../domain/delivering/endpoint-kinds/endpoint-kinds.ts';
import type { OwnField } from '../../domain/delivering/endpoint-kinds/traits.ts';

/** A schema for each of the fields that a single kind of endpoints has. */
export const mapOwnFields = <S extends z.ZodMiniType>(schemaOf: (field: OwnField) => S) =>
  Object.fromEntries(
    Object.entries<OwnField>(OWN_FIELDS).map(([name, field]) => [name, schemaOf(field)]),
  ) as Record<OwnFieldName, S>;
