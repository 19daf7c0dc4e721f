CREATE SCHEMA IF NOT EXISTS "tutti";
--> statement-breakpoint
CREATE TABLE "tutti"."documents" (
	"id" text PRIMARY KEY NOT NULL,
	"title" text DEFAULT '' NOT NULL,
	"text" text DEFAULT '' NOT NULL,
	"snapshot" "bytea",
	"snapshot_offset" bigint DEFAULT 0 NOT NULL,
	"offset" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tutti"."updates" (
	"document" text NOT NULL,
	"previous" bigint NOT NULL,
	"offset" bigint NOT NULL,
	"bytes" "bytea" NOT NULL,
	"authors" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "updates_document_offset_pk" PRIMARY KEY("document","offset")
);
--> statement-breakpoint
CREATE TABLE "tutti"."versions" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "tutti"."versions_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"document" text NOT NULL,
	"name" text NOT NULL,
	"author" text NOT NULL,
	"offset" bigint NOT NULL,
	"snapshot" "bytea" NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "tutti"."updates" ADD CONSTRAINT "updates_document_documents_id_fk" FOREIGN KEY ("document") REFERENCES "tutti"."documents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tutti"."versions" ADD CONSTRAINT "versions_document_documents_id_fk" FOREIGN KEY ("document") REFERENCES "tutti"."documents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "versions_of_document" ON "tutti"."versions" USING btree ("document","id");