/** Of the package. The API's own version is `v1.36.3+skiff.N`. */
export const VERSION = "0.1.0";
