// Runs in a Worker before the package does (support/site.ts).
import { shiftClock } from './shift-clock.ts';

shiftClock(Number(new URLSearchParams(location.search).get('ms')));
