import json, sys
# Leaves out what no reader of meaning needs: macros, the graph's maps, SQL texts, checksums, paths, times.
GONE = {'macros','docs','parent_map','child_map','group_map','selectors','disabled','raw_code','compiled_code','checksum','original_file_path','root_path','created_at','build_path','unrendered_config','unrendered_database','unrendered_schema','compiled','compiled_path','patch_path','path','relation_name_x','language','docs','unrendered_config_call_dict','deferred','extra_ctes','extra_ctes_injected','config_call_dict','doc_blocks','fqn','package_path','pre_injected_sql','source_meta','vars','invocation_id','invocation_started_at','run_started_at','project_id','user_id','generated_at','env','time_ingestion','quoting'}
CONFIG = {'enabled','materialized','alias','severity','where','warn_if','error_if','fail_calc','limit','contract','meta','tags','schema','store_failures','group'}
def slim(value, key=None):
    if isinstance(value, dict):
        return {k: slim(v, k) for k, v in value.items() if k not in GONE and not (key == 'config' and k not in CONFIG)}
    if isinstance(value, list):
        return [slim(v) for v in value]
    return value
document = json.load(open(sys.argv[1]))
json.dump(slim(document), open(sys.argv[2], 'w'), indent=1)
