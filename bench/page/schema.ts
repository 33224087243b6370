// The schema of the benchmarks: cities as the demo has them.
import { schema, t, table } from 'skerry';

export const app = schema(
  {
    cities: table({
      name: t.string(),
      country: t.string().index(),
      population: t.number(),
      lat: t.number(),
      lon: t.number(),
      adminCode: t.string().optional(),
      featureCode: t.string().optional(),
      cityId: t.number(),
    }),
  },
  { version: 1 },
);

export default app;
