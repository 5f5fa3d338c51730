Qkxf/nvAOz/j0Ti+0YapTz/H4P+YcmKue2pwnMSvuSqUUu+0FrNjp6wQdkcxs5byiQdW6GiwrG8cm/eGW2J7Cg==
