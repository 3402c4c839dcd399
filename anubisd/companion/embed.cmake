# cmake -D IN=FILE -D OUT=FILE -D VERSION=… -P embed.cmake: the file as the page asks for it, OUT, and compressed, OUT.gz.
# npm's wrappers name the package libsodium; a browser wants a path, and one that is another with each version may be
# kept for good. The rest of the files stays as it is.
file(READ "${IN}" text)
string(REPLACE "from\"libsodium\"" "from\"./libsodium.mjs?${VERSION}\"" text "${text}")
string(REPLACE "import(\"./libsodium-wrappers.mjs\")" "import(\"./libsodium-wrappers.mjs?${VERSION}\")" text "${text}")
file(WRITE "${OUT}" "${text}")
execute_process(COMMAND gzip -9nc "${OUT}" OUTPUT_FILE "${OUT}.gz" COMMAND_ERROR_IS_FATAL ANY)
