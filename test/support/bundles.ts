/** Before any test: the stack takes the bundles of the functions as they are, so that no test builds them. */
export { buildBundles as setup } from '../../build/bundles.ts';
